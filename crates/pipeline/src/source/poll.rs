//! Polling: list the prefix, leave out what is settled, deliver the rest.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use manifest_store::{ClaimStatus, ManifestStore};
use object_storage::{BlobStore, ObjectSummary};
use tokio::sync::Notify;
use tokio::time::Instant;
use types::{ObjectVersion, S3Uri};

use crate::engine::claim_key;
use crate::{Delivery, Event, Observer, Receipt, Route, SourceError, Stage, WorkSource};

const PAGE: u16 = 1000;

/// When polling ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollMode {
    /// When everything that is listed is settled.
    UntilSettled,
    /// Never: the prefix is listed again this long after the end of the last listing.
    Every(Duration),
}

/// Lists a prefix and delivers every object version that is neither settled nor held elsewhere.
///
/// Several replicas may poll one prefix: the claim decides who works.
#[derive(Debug)]
pub struct PollingSource {
    prefix: S3Uri,
    blobs: Arc<dyn BlobStore>,
    store: Arc<dyn ManifestStore>,
    stage: Arc<dyn Stage>,
    observer: Arc<dyn Observer>,
    mode: PollMode,
    pass: Pass,
    ready: VecDeque<ObjectSummary>,
    deliveries: Arc<Deliveries>,
}

/// One walk over the prefix.
#[derive(Debug, Default)]
struct Pass {
    /// Whether it is the first one of this process, which counts what there is.
    later: bool,
    next_page: Option<String>,
    listed: bool,
    /// Something must be asked for again, at this time at the soonest.
    again_at: Option<Instant>,
}

impl Pass {
    fn again(&mut self, at: Instant) {
        self.again_at = Some(self.again_at.map_or(at, |sooner| sooner.min(at)));
    }
}

/// What was given out and not answered yet, and what came back.
#[derive(Debug, Default)]
struct Deliveries {
    state: Mutex<HashMap<ObjectVersion, Answer>>,
    changed: Notify,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Awaited,
    Again(Instant),
}

impl PollingSource {
    /// A source over everything below `prefix` (a folder).
    pub fn new(
        prefix: &S3Uri,
        blobs: Arc<dyn BlobStore>,
        store: Arc<dyn ManifestStore>,
        stage: Arc<dyn Stage>,
        observer: Arc<dyn Observer>,
        mode: PollMode,
    ) -> Self {
        Self {
            prefix: prefix.as_folder(),
            blobs,
            store,
            stage,
            observer,
            mode,
            pass: Pass::default(),
            ready: VecDeque::new(),
            deliveries: Arc::default(),
        }
    }

    async fn list_page(&mut self) -> Result<(), SourceError> {
        let page = self.blobs.list(&self.prefix, self.pass.next_page.as_deref(), PAGE).await?;
        let objects: Vec<_> =
            page.objects.into_iter().filter(|o| !self.deliveries.holds(&o.object)).collect();
        let (mut work, mut keys) = (Vec::new(), Vec::new());
        for object in objects {
            match self.stage.route(&object) {
                Route::Accept(accepted) | Route::Reject(accepted, _) => {
                    keys.push(claim_key(self.stage.as_ref(), &accepted, &object.object));
                    work.push(object);
                }
                Route::Ignore(reason) if !self.pass.later => {
                    self.observer.observe(&Event::Ignored { object: &object, reason });
                }
                Route::Ignore(_) => {}
            }
        }
        let statuses = if keys.is_empty() { Vec::new() } else { self.store.statuses(&keys).await? };
        self.take_in(work, &statuses);
        self.pass.listed = page.next.is_none();
        self.pass.next_page = page.next;
        Ok(())
    }

    fn take_in(&mut self, work: Vec<ObjectSummary>, statuses: &[ClaimStatus]) {
        let (objects, mut settled) = (work.len() as u64, 0);
        for (object, status) in work.into_iter().zip(statuses) {
            match status {
                ClaimStatus::Free => self.ready.push_back(object),
                ClaimStatus::Settled(_) => settled += 1,
                ClaimStatus::NotNow { retry_in } => self.pass.again(Instant::now() + *retry_in),
            }
        }
        if !self.pass.later && objects > 0 {
            self.observer.observe(&Event::Discovered { objects, settled });
        }
    }

    fn deliver(&self, object: ObjectSummary) -> Delivery {
        self.deliveries.give_out(&object.object);
        let receipt = PollReceipt {
            object: object.object.clone(),
            deliveries: Arc::clone(&self.deliveries),
            answered: false,
        };
        Delivery::new(object, Box::new(receipt))
    }

    /// At the end of a listing: waits for a reason to list again; `false` when there is none left.
    async fn wait(&mut self) -> bool {
        let interval = match self.mode {
            PollMode::UntilSettled => None,
            PollMode::Every(interval) => Some(Instant::now() + interval),
        };
        loop {
            let changed = self.deliveries.changed.notified();
            let (awaited, again) = self.deliveries.standing();
            let again = [self.pass.again_at, again, interval].into_iter().flatten().min();
            match again {
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => return true,
                    () = changed => {}
                },
                None if awaited => changed.await,
                None => return false,
            }
        }
    }
}

#[async_trait]
impl WorkSource for PollingSource {
    async fn next(&mut self) -> Result<Option<Delivery>, SourceError> {
        loop {
            if let Some(object) = self.ready.pop_front() {
                return Ok(Some(self.deliver(object)));
            }
            if !self.pass.listed {
                self.list_page().await?;
            } else if self.wait().await {
                self.deliveries.forget_due();
                self.pass = Pass { later: true, ..Pass::default() };
            } else {
                return Ok(None);
            }
        }
    }
}

impl Deliveries {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<ObjectVersion, Answer>) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give_out(&self, object: &ObjectVersion) {
        self.with(|state| state.insert(object.clone(), Answer::Awaited));
    }

    fn holds(&self, object: &ObjectVersion) -> bool {
        self.with(|state| state.contains_key(object))
    }

    fn settle(&self, object: &ObjectVersion, answer: Option<Answer>) {
        self.with(|state| match answer {
            Some(answer) => state.insert(object.clone(), answer),
            None => state.remove(object),
        });
        // One waiter at most; a permit is kept for it if it is not waiting yet.
        self.changed.notify_one();
    }

    /// Whether answers are awaited, and when the first returned delivery may come again.
    fn standing(&self) -> (bool, Option<Instant>) {
        self.with(|state| {
            let mut awaited = false;
            let mut again: Option<Instant> = None;
            for answer in state.values() {
                match answer {
                    Answer::Awaited => awaited = true,
                    Answer::Again(at) => again = Some(again.map_or(*at, |sooner| sooner.min(*at))),
                }
            }
            (awaited, again)
        })
    }

    /// Returned deliveries whose time has come are listed anew.
    fn forget_due(&self) {
        let now = Instant::now();
        self.with(|state| state.retain(|_, answer| !matches!(answer, Answer::Again(at) if *at <= now)));
    }
}

#[derive(Debug)]
struct PollReceipt {
    object: ObjectVersion,
    deliveries: Arc<Deliveries>,
    answered: bool,
}

#[async_trait]
impl Receipt for PollReceipt {
    async fn ack(mut self: Box<Self>) {
        self.answered = true;
        self.deliveries.settle(&self.object, None);
    }

    async fn nack(mut self: Box<Self>, after: Duration) {
        self.answered = true;
        self.deliveries.settle(&self.object, Some(Answer::Again(Instant::now() + after)));
    }
}

impl Drop for PollReceipt {
    fn drop(&mut self) {
        if !self.answered {
            self.deliveries.settle(&self.object, Some(Answer::Again(Instant::now())));
        }
    }
}
