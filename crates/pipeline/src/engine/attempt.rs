//! One attempt at one delivery: every way in which it can end.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt;
use manifest_store::{Claim, ClaimOutcome, ClaimStatus, Settlement, StoreError};
use object_storage::{ObjectSummary, StorageError};
use staging::{ItemName, Workspace};
use tokio_util::sync::CancellationToken;
use types::{Disposition, RejectCode, RejectReason};

use super::outage::Mark;
use super::{Engine, Patience, claim_key};
use crate::keeper::Keeper;
use crate::{
    Accepted, Ending, Event, IgnoreReason, Input, InputMode, Outcome, Panicked, Route, StageError, StepError,
    Work,
};

/// A claim that somebody else holds may end long before its lease does.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// A claim that is about to be free may not be so at once by every clock.
const LEAST_PAUSE: Duration = Duration::from_millis(50);

/// What the source is told.
pub(super) enum Answer {
    Ack,
    Again(Duration),
}

pub(super) type Ended = (Ending, Answer);

/// Ways out that are not failures of the work.
enum Failure {
    /// Before a claim was held: nothing to write down.
    Unclaimed(StageError),
    /// The input is not there any more.
    Superseded,
    /// It can never succeed.
    Refused(RejectReason),
}

impl Engine {
    pub(super) async fn attempt(&self, object: &ObjectSummary, cancel: CancellationToken) -> Ended {
        let accepted = match self.stage.route(object) {
            Route::Ignore(reason) => return (Ending::Ignored(reason), Answer::Ack),
            Route::Reject(accepted, reason) => return self.refuse(object, &accepted, reason).await,
            Route::Accept(accepted) => accepted,
        };
        let admitted = tokio::select! {
            biased;
            () = cancel.cancelled() => return handed_back(Duration::ZERO),
            admitted = self.admit(object) => admitted,
        };
        match admitted {
            Ok((document, workspace)) => {
                self.claim_and_work(object, &accepted, document, workspace, cancel).await
            }
            Err(Failure::Superseded) => superseded(),
            Err(Failure::Refused(reason)) => self.refuse(object, &accepted, reason).await,
            Err(Failure::Unclaimed(error)) => {
                tracing::warn!(object = %object.object, %error, "not admitted, trying again");
                self.not_now(&error.disposition())
            }
        }
    }

    /// Everything that is needed to begin: the document that says how much, and the room on NVMe.
    async fn admit(&self, object: &ObjectSummary) -> Result<(Option<Bytes>, Workspace), Failure> {
        let begun = Instant::now();
        let limit = self.stage.input().max_bytes();
        if object.bytes > limit {
            let detail = format!("{} bytes, more than the {limit} allowed", object.bytes);
            return Err(Failure::Refused(RejectReason::new(RejectCode::LimitExceeded, detail)));
        }
        let document = match self.stage.input() {
            InputMode::Staged { .. } => None,
            InputMode::Document { max_bytes } => {
                let read = self.backends.input.read(&object.object.uri, max_bytes).await;
                Some(read.map_err(unread)?)
            }
        };
        let demand = self.stage.demand(object, document.as_ref()).map_err(Failure::Refused)?;
        let item = ItemName::new(self.stage.name(), &object.object);
        let workspace = match self.backends.staging.admit(&item, demand.nvme_bytes).await {
            Ok(workspace) => workspace,
            Err(error) => return Err(before_claim(error.into())),
        };
        self.observer.observe(&Event::Step { step: "admit", took: begun.elapsed() });
        Ok((document, workspace))
    }

    async fn claim(&self, object: &ObjectSummary, accepted: &Accepted) -> Result<Claim, Ended> {
        let begun = Instant::now();
        let key = claim_key(self.stage.as_ref(), accepted, &object.object);
        let claimed = self.claims.ask(key).await;
        self.observer.observe(&Event::Step { step: "claim", took: begun.elapsed() });
        match claimed {
            Some(Ok(ClaimOutcome::Owned(claim))) => Ok(claim),
            Some(Ok(ClaimOutcome::Settled(_))) => Err((Ending::AlreadySettled, Answer::Ack)),
            Some(Ok(ClaimOutcome::NotNow { retry_in })) => {
                Err(handed_back(retry_in.clamp(LEAST_PAUSE, LOOK_AGAIN)))
            }
            None => Err(handed_back(self.settings.backoff)),
            Some(Err(error)) => {
                tracing::warn!(object = %object.object, %error, "not claimed, trying again");
                Err(self.not_now(&error.disposition()))
            }
        }
    }

    async fn claim_and_work(
        &self,
        object: &ObjectSummary,
        accepted: &Accepted,
        document: Option<Bytes>,
        workspace: Workspace,
        cancel: CancellationToken,
    ) -> Ended {
        let claim = match self.claim(object, accepted).await {
            Ok(claim) => claim,
            Err(ended) => return ended,
        };
        if claim.attempt > self.settings.max_attempts {
            return self.settle(&claim, Err(Judged::own(never_finished(claim.attempt)))).await;
        }
        fail::fail_point!("claimed");
        let mark = self.outages.mark();
        let store = std::sync::Arc::clone(&self.backends.store);
        let keeper = Keeper::start(store, claim.clone(), self.settings.lease, cancel.clone());
        let worked = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(StepError { step: "process", error: StageError::Cancelled }),
            worked = self.work(object, &claim, document, workspace, &cancel) => worked,
        };
        drop(keeper);
        let worked = worked.map_err(|error| self.judge(error, mark));
        self.settle(&claim, worked).await
    }

    /// Steps 5 to 8 of the protocol.
    async fn work(
        &self,
        object: &ObjectSummary,
        claim: &Claim,
        document: Option<Bytes>,
        workspace: Workspace,
        cancel: &CancellationToken,
    ) -> Result<Worked, StepError> {
        let begun = Instant::now();
        let input = match document {
            Some(document) => Input::Document(document),
            None => match self.stage_in(object, &workspace).await {
                Ok(input) => input,
                Err(StorageError::NotFound(_) | StorageError::Changed(_)) => return Ok(Worked::Superseded),
                Err(error) => return Err(StepError { step: "stage", error: error.into() }),
            },
        };
        self.observer.observe(&Event::Step { step: "stage", took: begun.elapsed() });
        fail::fail_point!("staged");
        let backends = &self.backends;
        let work = Work {
            object: object.clone(),
            claim: claim.clone(),
            input,
            workspace,
            blobs: std::sync::Arc::clone(&backends.output),
            store: std::sync::Arc::clone(&backends.store),
            cpu: backends.cpu.clone(),
            memory: backends.memory.clone(),
            cancel: cancel.clone(),
        };
        let begun = Instant::now();
        fail::fail_point!("processing");
        // A panic outside the CPU pool would take the task with it: no ending, and the same panic at each new lease.
        let outcome = AssertUnwindSafe(self.stage.process(&work)).catch_unwind().await;
        let outcome = outcome.unwrap_or(Err(StageError::Panicked(Panicked)));
        let outcome = outcome.map_err(|error| StepError { step: "process", error })?;
        self.observer.observe(&Event::Step { step: "process", took: begun.elapsed() });
        match outcome {
            Outcome::NotReady { retry_in } => Ok(Worked::NotReady(retry_in)),
            Outcome::Publish(processed) => match self.publish(&work, *processed).await {
                Ok(()) => Ok(Worked::Published),
                // Its successor is published already.
                Err(StepError { error: StageError::Store(StoreError::Superseded), .. }) => {
                    Ok(Worked::Superseded)
                }
                Err(error) => Err(error),
            },
        }
    }

    async fn stage_in(&self, object: &ObjectSummary, workspace: &Workspace) -> Result<Input, StorageError> {
        let path = workspace.input();
        let limit = self.stage.input().max_bytes();
        let downloaded = self.backends.input.download(&object.object, &path, limit).await?;
        if downloaded.bytes != object.bytes {
            // Shorter than what was announced, with a length that fits: a proxy or server that cut it.
            let problem = format!("{} bytes came, and it has {}", downloaded.bytes, object.bytes);
            return Err(StorageError::Damaged { uri: object.object.uri.clone(), problem });
        }
        Ok(Input::File { path, bytes: downloaded.bytes, sha256: downloaded.sha256 })
    }

    /// Writes down how the work ended. When that fails the lease runs out and the work comes again.
    async fn settle(&self, claim: &Claim, worked: Result<Worked, Judged>) -> Ended {
        let store = &self.backends.store;
        let ended = match worked {
            Ok(Worked::Published) => {
                self.outages.success();
                return (Ending::Done, Answer::Ack);
            }
            Ok(Worked::Superseded) => store.release(std::slice::from_ref(claim)).await.map(|()| superseded()),
            Ok(Worked::NotReady(retry_in)) => {
                store.postpone(claim, retry_in).await.map(|()| handed_back(retry_in))
            }
            Err(failed) => self.settle_failure(claim, &failed).await,
        };
        ended.unwrap_or_else(|error| {
            tracing::warn!(object = %claim.key.object, %error, "the end of the work was not written down");
            self.outages.strike();
            handed_back(self.settings.lease)
        })
    }

    /// Whether a failure is the work's own. Other work that went well meanwhile shows that the place is fine, and so
    /// does the denial of the one object that was to be read.
    fn judge(&self, failed: StepError, mark: Mark) -> Judged {
        let disposition = failed.error.disposition();
        let Disposition::Outage { after } = disposition else { return Judged { failed, disposition } };
        let a_run = matches!(self.settings.patience, Patience::Run { .. });
        let denied_input = failed.step == "stage"
            && matches!(failed.error, StageError::Storage(StorageError::Denied { .. }));
        let own = a_run || denied_input || self.outages.others_succeed_since(mark);
        let disposition = if own { Disposition::Retry { after } } else { Disposition::Outage { after } };
        Judged { failed, disposition }
    }

    /// Before a claim was held.
    fn not_now(&self, disposition: &Disposition) -> Ended {
        match disposition {
            Disposition::Outage { .. } => handed_back(self.outages.strike()),
            Disposition::Retry { after } => handed_back(*after),
            Disposition::Reject(_) | Disposition::Cancelled | Disposition::Unknown => {
                handed_back(self.settings.backoff)
            }
        }
    }

    async fn settle_failure(&self, claim: &Claim, judged: &Judged) -> Result<Ended, StoreError> {
        let (store, failed) = (&self.backends.store, &judged.failed);
        match judged.disposition.clone() {
            Disposition::Cancelled => {
                store.release(std::slice::from_ref(claim)).await?;
                Ok(handed_back(Duration::ZERO))
            }
            Disposition::Reject(reason) => self.quarantine(claim, reason).await,
            Disposition::Outage { .. } => {
                let pause = self.outages.strike();
                tracing::warn!(object = %claim.key.object, error = %failed, "waiting");
                store.release(std::slice::from_ref(claim)).await?;
                Ok(handed_back(pause))
            }
            Disposition::Retry { .. } if claim.attempt >= self.settings.max_attempts => {
                let reason = RejectReason::new(RejectCode::AttemptsExhausted, failed.to_string());
                self.quarantine(claim, reason).await
            }
            Disposition::Retry { after } => {
                let after = self.pause(claim.attempt).max(after);
                tracing::warn!(object = %claim.key.object, attempt = claim.attempt, error = %failed, "failed, trying again");
                store.fail(claim, after, &failed.to_string()).await?;
                Ok((Ending::Retried, Answer::Again(after)))
            }
            Disposition::Unknown => self.look_again(claim).await,
        }
    }

    /// After a commit whose answer was lost: the store knows. If it did not happen, the work is done again.
    async fn look_again(&self, claim: &Claim) -> Result<Ended, StoreError> {
        let statuses = self.backends.store.statuses(std::slice::from_ref(&claim.key)).await?;
        if let Some(ClaimStatus::Settled(Settlement::Done)) = statuses.first() {
            return Ok((Ending::Done, Answer::Ack));
        }
        self.backends.store.release(std::slice::from_ref(claim)).await?;
        Ok(handed_back(self.settings.backoff))
    }

    /// Quarantines work that is refused before it was claimed.
    async fn refuse(&self, object: &ObjectSummary, accepted: &Accepted, reason: RejectReason) -> Ended {
        match self.claim(object, accepted).await {
            Err(ended) => ended,
            Ok(claim) => {
                let refused = StepError { step: "admit", error: StageError::Rejected(reason) };
                self.settle(&claim, Err(Judged::own(refused))).await
            }
        }
    }

    async fn quarantine(&self, claim: &Claim, reason: RejectReason) -> Result<Ended, StoreError> {
        tracing::info!(object = %claim.key.object, %reason, "rejected");
        self.backends.store.quarantine(claim, &reason).await?;
        Ok((Ending::Rejected(reason), Answer::Ack))
    }

    fn pause(&self, attempt: u32) -> Duration {
        let doubled = self.settings.backoff.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(Duration::from_secs(300))
    }
}

/// A failure and what is done about it, see [`Engine::judge`].
struct Judged {
    failed: StepError,
    disposition: Disposition,
}

impl Judged {
    /// As the error itself says.
    fn own(failed: StepError) -> Self {
        let disposition = failed.error.disposition();
        Self { failed, disposition }
    }
}

enum Worked {
    Published,
    NotReady(Duration),
    Superseded,
}

/// For work whose earlier attempts ended with their process: nothing could be written down then.
fn never_finished(attempt: u32) -> StepError {
    let detail = format!("{} attempts ended without a result: the worker died or was stalled", attempt - 1);
    StepError { step: "claim", error: StageError::rejected(RejectCode::AttemptsExhausted, detail) }
}

fn handed_back(after: Duration) -> Ended {
    (Ending::HandedBack, Answer::Again(after))
}

fn superseded() -> Ended {
    (Ending::Ignored(IgnoreReason::Superseded), Answer::Ack)
}

fn unread(error: StorageError) -> Failure {
    match error {
        StorageError::NotFound(_) | StorageError::Changed(_) => Failure::Superseded,
        error => before_claim(error.into()),
    }
}

fn before_claim(error: StageError) -> Failure {
    match error.disposition() {
        Disposition::Reject(reason) => Failure::Refused(reason),
        Disposition::Retry { .. }
        | Disposition::Outage { .. }
        | Disposition::Cancelled
        | Disposition::Unknown => Failure::Unclaimed(error),
    }
}
