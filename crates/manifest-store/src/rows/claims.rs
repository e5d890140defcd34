//! Rows of claims.

use std::time::Duration;

use serde_json::Value;
use sqlx::FromRow;
use types::{DatasetName, ObjectVersion, RejectReason, S3Uri, StageName};

use crate::encoding::{duration, from_json, number, parsed, policy, policy_bytes, unreadable, uri};
use crate::{
    Claim, ClaimKey, ClaimStatus, FenceToken, ProcessedRecord, RejectedRecord, Settlement, StoreError,
};

/// A claim key as columns, in the order in which every statement takes them.
#[derive(Debug, Clone)]
pub(crate) struct KeyColumns<'k> {
    pub(crate) stage: &'static str,
    pub(crate) bucket: &'k str,
    pub(crate) key: &'k str,
    pub(crate) version: &'k str,
    pub(crate) dataset: &'k str,
    pub(crate) policy: Vec<u8>,
}

impl<'k> From<&'k ClaimKey> for KeyColumns<'k> {
    fn from(key: &'k ClaimKey) -> Self {
        Self {
            stage: key.stage.as_str(),
            bucket: key.object.uri.bucket().as_str(),
            key: key.object.uri.key(),
            version: &key.object.version,
            dataset: key.dataset.as_str(),
            policy: policy_bytes(&key.policy),
        }
    }
}

/// A claim that was just granted.
#[derive(Debug, FromRow)]
pub(crate) struct GrantRow {
    pub(crate) token: i64,
    pub(crate) attempts: i64,
}

impl GrantRow {
    pub(crate) fn claim(self, key: &ClaimKey) -> Result<Claim, StoreError> {
        let attempt = number("attempts", self.attempts)?;
        Ok(Claim { key: key.clone(), token: FenceToken(self.token), attempt })
    }
}

/// A claim that was just renewed: that there is a row says it all.
#[derive(Debug, FromRow)]
pub(crate) struct RenewalRow {}

/// Where a claim stands; one whose lease or wait has ended reads as `free`.
#[derive(Debug, FromRow)]
pub(crate) struct StatusRow {
    state: String,
    retry_in_ms: i64,
    reason_code: Option<String>,
    reason_detail: Option<String>,
}

impl StatusRow {
    pub(crate) fn status(self) -> Result<ClaimStatus, StoreError> {
        Ok(match self.state.as_str() {
            "free" => ClaimStatus::Free,
            "held" | "waiting" => ClaimStatus::NotNow { retry_in: duration(self.retry_in_ms) },
            "done" => ClaimStatus::Settled(Settlement::Done),
            "rejected" => {
                let code = self.reason_code.ok_or_else(|| unreadable("rejection", "no reason"))?;
                ClaimStatus::Settled(Settlement::Rejected(reason(&code, self.reason_detail)?))
            }
            other => return Err(unreadable("claim state", other)),
        })
    }

    /// For a claim that was not granted. What reads as free became so in the instant between two statements.
    pub(crate) fn refusal(self) -> Result<crate::ClaimOutcome, StoreError> {
        Ok(match self.status()? {
            ClaimStatus::Free => crate::ClaimOutcome::NotNow { retry_in: Duration::ZERO },
            ClaimStatus::Settled(settlement) => crate::ClaimOutcome::Settled(settlement),
            ClaimStatus::NotNow { retry_in } => crate::ClaimOutcome::NotNow { retry_in },
        })
    }
}

fn reason(code: &str, detail: Option<String>) -> Result<RejectReason, StoreError> {
    Ok(RejectReason::new(parsed("reason", code)?, detail.unwrap_or_default()))
}

/// The fence of a claim that is held.
#[derive(Debug, FromRow)]
pub(crate) struct FenceRow {
    token: i64,
}

impl FenceRow {
    pub(crate) fn check(row: Option<Self>, claim: &Claim) -> Result<(), StoreError> {
        row.filter(|row| row.token == claim.token.0).map(|_| ()).ok_or(StoreError::Fenced)
    }
}

/// One version of an object at a stage.
#[derive(Debug, FromRow)]
pub(crate) struct ProcessedRow {
    dataset: String,
    version: String,
    policy: Vec<u8>,
    attempts: i64,
    #[sqlx(flatten)]
    status: StatusRow,
}

impl ProcessedRow {
    pub(crate) fn record(self, stage: StageName, uri: &S3Uri) -> Result<ProcessedRecord, StoreError> {
        Ok(ProcessedRecord {
            key: ClaimKey {
                stage,
                dataset: parsed("dataset", &self.dataset)?,
                object: ObjectVersion { uri: uri.clone(), version: self.version },
                policy: policy(&self.policy)?,
            },
            status: self.status.status()?,
            attempts: number("attempts", self.attempts)?,
        })
    }
}

/// A quarantined object version.
#[derive(Debug, FromRow)]
pub(crate) struct RejectedRow {
    stage: String,
    bucket: String,
    key: String,
    version: String,
    policy: Vec<u8>,
    attempts: i64,
    reason_code: String,
    reason_detail: Option<String>,
    rejected_at: i64,
}

impl RejectedRow {
    pub(crate) fn record(self, dataset: &DatasetName) -> Result<RejectedRecord, StoreError> {
        Ok(RejectedRecord {
            key: ClaimKey {
                stage: parsed("stage", &self.stage)?,
                dataset: dataset.clone(),
                object: ObjectVersion { uri: uri(&self.bucket, self.key)?, version: self.version },
                policy: policy(&self.policy)?,
            },
            reason: reason(&self.reason_code, self.reason_detail)?,
            attempts: number("attempts", self.attempts)?,
            rejected_at: self.rejected_at,
        })
    }
}

/// Partial progress.
#[derive(Debug, FromRow)]
pub(crate) struct CheckpointRow {
    name: String,
    value: String,
}

impl CheckpointRow {
    pub(crate) fn named_value(self) -> Result<(String, Value), StoreError> {
        let value = from_json("checkpoint", &self.value)?;
        Ok((self.name, value))
    }
}
