//! The claim life cycle as a small model, driven at random beside the real store.
//!
//! Leases and delays are either none (over at once) or longer than the test, so that the model needs no
//! clock.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use manifest_store::{
    Claim, ClaimKey, ClaimOutcome, ClaimStatus, Claims, Publication, Settlement, SqliteStore, StoreError,
    Upkeep,
};
use proptest::prelude::*;
use types::{
    DatasetName, ObjectVersion, PolicyHash, RejectCode, RejectReason, S3Uri, StageManifest, StageName,
};

/// The last is another version of the first's object.
const KEYS: usize = 3;
const OWNERS: [&str; 2] = ["ann", "bob"];

#[derive(Debug, Clone, Copy)]
enum Step {
    Claim { key: usize, owner: usize, lasting: bool },
    Renew { claim: usize, lasting: bool },
    Release { claim: usize },
    Postpone { claim: usize, lasting: bool },
    Fail { claim: usize, lasting: bool },
    Quarantine { claim: usize },
    Publish { claim: usize },
    FreeExpired,
    Checkpoint { claim: usize },
    ReleaseOwner { owner: usize },
    Redrive,
}

fn step() -> impl Strategy<Value = Step> {
    // Which of the claims handed out so far, the latest more often than not.
    let claim = || prop_oneof![4 => Just(0_usize), 2 => Just(1_usize), 1 => 2..8_usize];
    prop_oneof![
        6 => (0..KEYS, 0..2_usize, any::<bool>())
            .prop_map(|(key, owner, lasting)| Step::Claim { key, owner, lasting }),
        1 => (claim(), any::<bool>()).prop_map(|(claim, lasting)| Step::Renew { claim, lasting }),
        1 => claim().prop_map(|claim| Step::Release { claim }),
        1 => (claim(), any::<bool>()).prop_map(|(claim, lasting)| Step::Postpone { claim, lasting }),
        2 => (claim(), any::<bool>()).prop_map(|(claim, lasting)| Step::Fail { claim, lasting }),
        1 => claim().prop_map(|claim| Step::Quarantine { claim }),
        4 => claim().prop_map(|claim| Step::Publish { claim }),
        1 => Just(Step::FreeExpired),
        1 => claim().prop_map(|claim| Step::Checkpoint { claim }),
        1 => (0..2_usize).prop_map(|owner| Step::ReleaseOwner { owner }),
        1 => Just(Step::Redrive),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Held { owner: usize, lasting: bool },
    Waiting { lasting: bool },
    Done,
    Rejected,
}

#[derive(Debug, Clone, Copy)]
struct Modelled {
    state: State,
    attempts: u32,
    grants: u32,
    /// When it was granted last, in grants of all keys.
    granted_at: usize,
    checkpointed: bool,
}

const NEW: Modelled =
    Modelled { state: State::Free, attempts: 0, grants: 0, granted_at: 0, checkpointed: false };

impl Modelled {
    fn claimable(&self) -> bool {
        use State::{Free, Held, Waiting};
        matches!(self.state, Free | Held { lasting: false, .. } | Waiting { lasting: false })
    }
}

/// A claim that was handed out, and which grant of its key it was.
#[derive(Debug)]
struct Handed {
    key: usize,
    grant: u32,
    claim: Claim,
}

struct Run<'s> {
    store: &'s SqliteStore,
    dataset: DatasetName,
    keys: Vec<ClaimKey>,
    model: Vec<Modelled>,
    handed: Vec<Handed>,
}

fn span(lasting: bool) -> Duration {
    if lasting { Duration::from_secs(3600) } else { Duration::ZERO }
}

fn reason() -> RejectReason {
    RejectReason::new(RejectCode::Corrupt, "in a test")
}

impl Run<'_> {
    /// The claim that a step means, and whether it is still in force by the model.
    fn pick(&self, back: usize) -> Option<(&Handed, bool)> {
        let handed = self.handed.iter().rev().nth(back)?;
        let model = &self.model[handed.key];
        Some((handed, model.grants == handed.grant && matches!(model.state, State::Held { .. })))
    }

    async fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Claim { key, owner, lasting } => self.claim(key, owner, lasting).await,
            Step::ReleaseOwner { owner } => self.release_owner(owner).await,
            Step::Redrive => self.redrive().await,
            Step::FreeExpired => self.free_expired().await,
            Step::Renew { claim, .. }
            | Step::Release { claim }
            | Step::Postpone { claim, .. }
            | Step::Fail { claim, .. }
            | Step::Quarantine { claim }
            | Step::Publish { claim }
            | Step::Checkpoint { claim } => self.use_claim(step, claim).await,
        }
    }

    async fn claim(&mut self, key: usize, owner: usize, lasting: bool) -> Result<(), TestCaseError> {
        // Of two claims of one millisecond none is the later.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let asked = &self.keys[key..=key];
        let outcome = ok(self.store.claim(asked, OWNERS[owner], span(lasting)).await)?.remove(0);
        let model = &mut self.model[key];
        if model.claimable() {
            model.state = State::Held { owner, lasting };
            model.attempts += 1;
            model.grants += 1;
            model.granted_at = self.handed.len();
            let ClaimOutcome::Owned(claim) = outcome else {
                return Err(TestCaseError::fail(format!("not granted: {outcome:?}")));
            };
            prop_assert_eq!(claim.attempt, model.attempts);
            let before = self.handed.iter().rev().find(|handed| handed.key == key);
            prop_assert!(before.is_none_or(|before| before.claim.token < claim.token));
            self.handed.push(Handed { key, grant: model.grants, claim });
        } else {
            let as_modelled = match model.state {
                State::Done => outcome == ClaimOutcome::Settled(Settlement::Done),
                State::Rejected => outcome == ClaimOutcome::Settled(Settlement::Rejected(reason())),
                _ => matches!(outcome, ClaimOutcome::NotNow { .. }),
            };
            prop_assert!(as_modelled, "{:?} answered {:?}", model, outcome);
        }
        Ok(())
    }

    async fn use_claim(&mut self, step: Step, back: usize) -> Result<(), TestCaseError> {
        let Some((handed, ours)) = self.pick(back) else { return Ok(()) };
        let (key, claim) = (handed.key, handed.claim.clone());
        let done_by_us = self.model[key].state == State::Done && self.model[key].grants == handed.grant;
        let superseded = self.is_superseded(key);
        let model = &mut self.model[key];
        let (result, expected_ok) = match step {
            Step::Renew { lasting, .. } => {
                let renewed = ok(self.store.renew(std::slice::from_ref(&claim), span(lasting)).await)?;
                prop_assert_eq!(renewed, [ours]);
                if let (true, State::Held { owner, .. }) = (ours, model.state) {
                    model.state = State::Held { owner, lasting };
                }
                return Ok(());
            }
            Step::Release { .. } => (self.store.release(std::slice::from_ref(&claim)).await, true),
            Step::Postpone { lasting, .. } => (self.store.postpone(&claim, span(lasting)).await, ours),
            Step::Fail { lasting, .. } => (self.store.fail(&claim, span(lasting), "in a test").await, ours),
            Step::Quarantine { .. } => (self.store.quarantine(&claim, &reason()).await, ours),
            Step::Publish { .. } if ours && superseded => {
                let refused = self.store.publish(&publication(&claim)).await;
                prop_assert!(matches!(refused, Err(StoreError::Superseded)), "{:?} at {:?}", refused, model);
                return Ok(());
            }
            Step::Publish { .. } => (self.store.publish(&publication(&claim)).await, ours || done_by_us),
            _ => (self.store.put_checkpoint(&claim, "part", &serde_json::json!(1)).await, ours),
        };
        match result {
            Ok(()) => prop_assert!(expected_ok, "{:?} had an effect on {:?}", step, model),
            Err(StoreError::Fenced) => prop_assert!(!expected_ok, "{:?} was fenced at {:?}", step, model),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
        if ours {
            advance(model, step);
            if matches!(step, Step::Publish { .. }) {
                self.unsettle_others(key);
            }
        }
        Ok(())
    }

    /// The keys of the other versions of an object.
    fn other_versions(&self, key: usize) -> Vec<usize> {
        let object = &self.keys[key].object;
        let other = |other: &usize| {
            let other = &self.keys[*other].object;
            other.uri == object.uri && other.version != object.version
        };
        (0..KEYS).filter(other).collect()
    }

    fn is_superseded(&self, key: usize) -> bool {
        let later =
            |other: &Modelled| other.state == State::Done && other.granted_at > self.model[key].granted_at;
        self.other_versions(key).into_iter().any(|other| later(&self.model[other]))
    }

    /// What a publication does to other versions: what was settled before is free, attempts from zero.
    fn unsettle_others(&mut self, key: usize) {
        let published = self.model[key].granted_at;
        for other in self.other_versions(key) {
            let model = &mut self.model[other];
            let rejected_before = model.state == State::Rejected && model.granted_at < published;
            if model.state == State::Done || rejected_before {
                model.state = State::Free;
                model.attempts = 0;
                model.checkpointed = false;
            }
        }
    }

    async fn free_expired(&mut self) -> Result<(), TestCaseError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let freed = ok(self.store.free_expired(StageName::Normalize, Duration::ZERO).await)?;
        let expired = |model: &&mut Modelled| matches!(model.state, State::Held { lasting: false, .. });
        let mut expected = 0;
        for model in self.model.iter_mut().filter(expired) {
            model.state = State::Free;
            expected += 1;
        }
        prop_assert_eq!(freed, expected);
        Ok(())
    }

    async fn release_owner(&mut self, owner: usize) -> Result<(), TestCaseError> {
        let released = ok(self.store.release_owner(OWNERS[owner]).await)?;
        let held = |model: &&mut Modelled| match model.state {
            State::Held { owner: holder, .. } => holder == owner,
            _ => false,
        };
        let mut expected = 0;
        for model in self.model.iter_mut().filter(held) {
            model.state = State::Free;
            model.attempts -= 1;
            expected += 1;
        }
        prop_assert_eq!(released, expected);
        Ok(())
    }

    async fn redrive(&mut self) -> Result<(), TestCaseError> {
        let redriven = ok(self.store.redrive(&self.dataset, None, false).await)?;
        let mut expected = 0;
        for model in self.model.iter_mut().filter(|model| model.state == State::Rejected) {
            model.state = State::Free;
            model.attempts = 0;
            expected += 1;
        }
        prop_assert_eq!(redriven, expected);
        Ok(())
    }

    /// The store shows what the model says.
    async fn compare(&self) -> Result<(), TestCaseError> {
        for (key, model) in self.keys.iter().zip(&self.model) {
            let status = ok(self.store.statuses(std::slice::from_ref(key)).await)?.remove(0);
            let as_modelled = match model.state {
                State::Done => status == ClaimStatus::Settled(Settlement::Done),
                State::Rejected => status == ClaimStatus::Settled(Settlement::Rejected(reason())),
                _ if model.claimable() => status == ClaimStatus::Free,
                _ => matches!(status, ClaimStatus::NotNow { .. }),
            };
            prop_assert!(as_modelled, "{:?} shows as {:?}", model, status);
            let records = ok(self.store.processed(key.stage, &key.object.uri).await)?;
            let attempts =
                records.iter().find(|record| record.key == *key).map_or(0, |record| record.attempts);
            prop_assert_eq!(attempts, model.attempts);
            prop_assert_eq!(!ok(self.store.checkpoints(key).await)?.is_empty(), model.checkpointed);
        }
        Ok(())
    }
}

/// What a step that was allowed does to its key.
fn advance(model: &mut Modelled, step: Step) {
    match step {
        Step::Release { .. } => {
            model.state = State::Free;
            model.attempts -= 1;
        }
        Step::Postpone { lasting, .. } => {
            model.state = State::Waiting { lasting };
            model.attempts -= 1;
        }
        Step::Fail { lasting, .. } => model.state = State::Waiting { lasting },
        Step::Quarantine { .. } => model.state = State::Rejected,
        Step::Publish { .. } => {
            model.state = State::Done;
            model.checkpointed = false;
        }
        Step::Checkpoint { .. } => model.checkpointed = true,
        Step::Claim { .. }
        | Step::Renew { .. }
        | Step::ReleaseOwner { .. }
        | Step::Redrive
        | Step::FreeExpired => {}
    }
}

fn ok<T>(result: Result<T, StoreError>) -> Result<T, TestCaseError> {
    result.map_err(|error| TestCaseError::fail(error.to_string()))
}

pub(super) fn publication(claim: &Claim) -> Publication {
    let key = &claim.key;
    Publication {
        claim: claim.clone(),
        manifest: StageManifest {
            dataset: key.dataset.clone(),
            stage: key.stage,
            policy_hash: key.policy,
            source: key.object.clone(),
            metadata: serde_json::json!({}),
            entries: vec![],
        },
        manifest_uri: key.object.uri.clone(),
        lineage: vec![],
        effects: vec![],
    }
}

pub(super) fn claim_key(dataset: &DatasetName, n: usize) -> ClaimKey {
    let bucket = "bronze".parse().expect("a valid bucket");
    let (name, version) = if n == KEYS - 1 { (0, "v2") } else { (n, "v1") };
    let uri = S3Uri::new(bucket, format!("{dataset}/{name}"));
    let object = ObjectVersion { uri, version: version.to_owned() };
    ClaimKey { stage: StageName::Normalize, dataset: dataset.clone(), object, policy: PolicyHash::of("p") }
}

#[test]
fn the_claim_life_cycle_is_that_of_the_model() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let path = folder.path().join("manifest.db");
    let store = runtime.block_on(SqliteStore::open(&path)).expect("an empty store");
    // Every case has a dataset of its own in the one file; owners are released over all, which is why a case
    // ends with that.
    let cases = AtomicU32::new(0);
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in prop::collection::vec(step(), 1..40))| {
        let case = cases.fetch_add(1, Ordering::Relaxed);
        let dataset: DatasetName = format!("case-{case}").parse().expect("a valid name");
        let mut run = Run {
            store: &store,
            keys: (0..KEYS).map(|n| claim_key(&dataset, n)).collect(),
            dataset,
            model: vec![NEW; KEYS],
            handed: vec![],
        };
        let result: Result<(), TestCaseError> = runtime.block_on(async {
            for step in steps {
                run.take(step).await?;
                run.compare().await?;
            }
            Ok(())
        });
        for owner in OWNERS {
            runtime.block_on(store.release_owner(owner)).expect("the next case starts clean");
        }
        result?;
    });
}
