//! What a publication may do to the claims of its object: the rules, for both databases.

use sqlx::FromRow;

use super::KeyColumns;
use crate::encoding::policy_bytes;
use crate::{Claim, ClaimKey, StoreError};

/// What publications of different versions take turns on: an object at one stage of one dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ObjectColumns<'k> {
    pub(crate) stage: &'static str,
    pub(crate) bucket: &'k str,
    pub(crate) key: &'k str,
    pub(crate) dataset: &'k str,
}

impl<'k> From<&'k ClaimKey> for ObjectColumns<'k> {
    fn from(key: &'k ClaimKey) -> Self {
        Self {
            stage: key.stage.as_str(),
            bucket: key.object.uri.bucket().as_str(),
            key: key.object.uri.key(),
            dataset: key.dataset.as_str(),
        }
    }
}

/// One of the claims of an object, under the lock of a publication. Times are in the database's own resolution
/// and are only compared with each other.
#[derive(Debug, FromRow)]
pub(crate) struct ObjectClaimRow {
    version: String,
    policy: Vec<u8>,
    state: String,
    token: i64,
    claimed_at: i64,
    #[sqlx(skip)]
    change: Option<Change>,
}

/// What becomes of a claim by publications of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is published.
    Done,
    /// It was settled before another version, or another policy, was done: free, and new work if it is asked for.
    Freed,
}

impl Change {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Freed => "free",
        }
    }
}

/// What a publication may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fence {
    /// The claim is ours.
    Ours,
    /// The same claim was completed before.
    DoneByUs,
}

/// The claims of one object as they are, and as the publications that were accepted so far leave them.
#[derive(Debug, Default)]
pub(crate) struct ObjectClaims {
    claims: Vec<ObjectClaimRow>,
}

impl ObjectClaims {
    pub(crate) fn add(&mut self, row: ObjectClaimRow) {
        self.claims.push(row);
    }

    /// Whether a publication under this claim may go ahead. `removed_at`: when the last of its outputs that was
    /// condemned was buried, `i64::MAX` where one is not buried yet.
    pub(crate) fn judge(&self, claim: &Claim, removed_at: Option<i64>) -> Result<Fence, StoreError> {
        let policy = policy_bytes(&claim.key.policy);
        let version = &claim.key.object.version;
        let ours = |row: &&ObjectClaimRow| row.version == *version && row.policy == policy;
        let ours = self.claims.iter().find(ours).filter(|row| row.token == claim.token.0);
        let ours = ours.ok_or(StoreError::Fenced)?;
        match ours.state.as_str() {
            "held" => {}
            "done" => return Ok(Fence::DoneByUs),
            _ => return Err(StoreError::Fenced),
        }
        let later = |row: &ObjectClaimRow| {
            row.version != *version && row.is_done() && row.claimed_at > ours.claimed_at
        };
        if self.claims.iter().any(later) {
            return Err(StoreError::Superseded);
        }
        // Times of one instant have no order: then it may have been removed after the claim.
        if removed_at.is_some_and(|removed_at| removed_at >= ours.claimed_at) {
            return Err(StoreError::OutputsRemoved);
        }
        Ok(Fence::Ours)
    }

    /// A publication under this claim, which was judged, goes ahead.
    pub(crate) fn settle(&mut self, claim: &Claim) {
        let policy = policy_bytes(&claim.key.policy);
        let version = &claim.key.object.version;
        let ours = |row: &ObjectClaimRow| row.version == *version && row.policy == policy;
        let claimed_at = self.claims.iter().find(|row| ours(row)).map_or(i64::MAX, |row| row.claimed_at);
        for row in &mut self.claims {
            let same_version = row.version == *version;
            // What was rejected later was newer content, or another policy's: that stays so.
            let rejected_before = row.state == "rejected" && row.claimed_at <= claimed_at;
            if ours(row) {
                row.make(Change::Done);
            } else if rejected_before || (row.is_done() && !same_version) {
                // Freed and not deleted: the fence of work that was lost before must not begin anew.
                row.make(Change::Freed);
            }
        }
    }

    /// The keys of the claims that are to be changed.
    pub(crate) fn changes<'k>(
        &'k self,
        object: ObjectColumns<'k>,
    ) -> impl Iterator<Item = (KeyColumns<'k>, Change)> {
        let ObjectColumns { stage, bucket, key, dataset } = object;
        let columns = move |row: &'k ObjectClaimRow| {
            let (version, policy) = (row.version.as_str(), row.policy.clone());
            Some((KeyColumns { stage, bucket, key, version, dataset, policy }, row.change?))
        };
        self.claims.iter().filter_map(columns)
    }
}

impl ObjectClaimRow {
    fn is_done(&self) -> bool {
        self.state == "done"
    }

    fn make(&mut self, change: Change) {
        change.as_str().clone_into(&mut self.state);
        self.change = Some(change);
    }
}
