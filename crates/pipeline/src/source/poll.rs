//! Polling: list the prefix, leave out what is settled, deliver the rest.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use manifest_store::{ClaimStatus, ManifestStore};
use object_storage::{BlobStore, ObjectSummary, StorageError};
use tokio::sync::Notify;
use tokio::time::Instant;
use types::{ObjectVersion, S3Uri};

use crate::engine::claim_key;
use crate::{Delivery, Event, Observer, Receipt, Route, Slots, SourceError, Stage, WorkSource};

const PAGE: u16 = 1000;

/// The adapters give up long before; without this a call that never ends would be a source that silently stopped.
const PATIENCE: Duration = Duration::from_secs(180);

/// When polling ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollMode {
    /// When everything that is listed is settled.
    UntilSettled,
    /// Never: the prefix is listed again this long after the end of the last listing.
    Every(Duration),
}

/// What is polled, and how.
#[derive(Debug, Clone)]
pub struct PollSettings {
    /// Everything below it is listed (a folder).
    pub prefix: S3Uri,
    /// When it ends.
    pub mode: PollMode,
    /// Objects younger than this are left to whoever tells of them sooner. Zero when nobody does.
    pub min_age: Duration,
}

/// Lists a prefix and delivers every object version that is neither settled nor held elsewhere.
///
/// Several replicas may poll one prefix: the claim decides who works.
#[derive(Debug)]
pub struct PollingSource {
    settings: PollSettings,
    blobs: Arc<dyn BlobStore>,
    store: Arc<dyn ManifestStore>,
    stage: Arc<dyn Stage>,
    observer: Arc<dyn Observer>,
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
    /// When the prefix is to be listed anew, if ever.
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

#[derive(Debug, Clone)]
enum Answer {
    Awaited,
    /// Handed back: it is delivered again from memory, without another listing.
    Again(Instant, ObjectSummary),
}

impl PollingSource {
    /// A source of what `stage` has not settled.
    pub fn new(
        settings: PollSettings,
        blobs: Arc<dyn BlobStore>,
        store: Arc<dyn ManifestStore>,
        stage: Arc<dyn Stage>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let settings = PollSettings { prefix: settings.prefix.as_folder(), ..settings };
        Self {
            settings,
            blobs,
            store,
            stage,
            observer,
            pass: Pass::default(),
            ready: VecDeque::new(),
            deliveries: Arc::default(),
        }
    }

    async fn list_page(&mut self) -> Result<(), SourceError> {
        let page = self.blobs.list(&self.settings.prefix, self.pass.next_page.as_deref(), PAGE).await?;
        let objects = page.objects.into_iter().filter(|o| !self.deliveries.holds(&o.object));
        let objects: Vec<_> = objects.filter(|found| self.is_old_enough(found)).collect();
        let (mut work, mut keys) = (Vec::new(), Vec::new());
        for object in objects {
            match self.stage.route(&object) {
                Route::Accept(accepted) | Route::Reject(accepted, _) => {
                    keys.push(claim_key(self.stage.as_ref(), &accepted, &object.object));
                    work.push(object);
                }
                Route::Ignore(reason) if !self.pass.later => {
                    self.observer.observe(&Event::Ignored { reason });
                }
                Route::Ignore(_) => {}
            }
        }
        let statuses = if keys.is_empty() { Vec::new() } else { self.store.statuses(&keys).await? };
        self.take_in(work, &statuses);
        self.observer.observe(&Event::Polled);
        self.pass.listed = page.next.is_none();
        self.pass.next_page = page.next;
        if let (true, PollMode::Every(interval)) = (self.pass.listed, self.settings.mode) {
            self.pass.again(Instant::now() + interval);
        }
        Ok(())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "clocks that disagree move a delivery to another listing, no more"
    )]
    fn is_old_enough(&self, found: &ObjectSummary) -> bool {
        let age = |at: SystemTime| SystemTime::now().duration_since(at).unwrap_or_default();
        found.modified.is_none_or(|at| age(at) >= self.settings.min_age)
    }

    fn take_in(&mut self, work: Vec<ObjectSummary>, statuses: &[ClaimStatus]) {
        let (objects, mut settled) = (work.len() as u64, 0);
        for (object, status) in work.into_iter().zip(statuses) {
            match status {
                ClaimStatus::Free => self.ready.push_back(object),
                ClaimStatus::Settled(_) => settled += 1,
                // Another replica's. Listing again soon is for the one who waits for the end.
                ClaimStatus::NotNow { retry_in } if self.settings.mode == PollMode::UntilSettled => {
                    self.pass.again(Instant::now() + *retry_in);
                }
                ClaimStatus::NotNow { .. } => {}
            }
        }
        if !self.pass.later && objects > 0 {
            self.observer.observe(&Event::Discovered { objects, settled });
        }
    }

    fn deliver(&self, object: ObjectSummary) -> Delivery {
        self.deliveries.give_out(&object.object);
        let receipt =
            PollReceipt { object: object.clone(), deliveries: Arc::clone(&self.deliveries), answered: false };
        Delivery::new(object, Box::new(receipt))
    }

    /// At the end of a listing: waits for something to deliver again or for the time of the next listing; `false`
    /// when neither will ever come.
    async fn wait(&mut self) -> bool {
        loop {
            let deliveries = Arc::clone(&self.deliveries);
            let changed = deliveries.changed.notified();
            self.ready.extend(deliveries.take_due());
            if !self.ready.is_empty() {
                return true;
            }
            if self.pass.again_at.is_some_and(|at| at <= Instant::now()) {
                self.pass = Pass { later: true, ..Pass::default() };
                return true;
            }
            let (awaited, due) = self.deliveries.standing();
            match [self.pass.again_at, due].into_iter().flatten().min() {
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
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
    async fn next(&mut self, _slots: &Slots) -> Result<Option<Delivery>, SourceError> {
        loop {
            if let Some(object) = self.ready.pop_front() {
                return Ok(Some(self.deliver(object)));
            }
            if !self.pass.listed {
                let listed = tokio::time::timeout(PATIENCE, self.list_page()).await;
                listed.unwrap_or_else(|_| Err(silent()))?;
            } else if !self.wait().await {
                return Ok(None);
            }
        }
    }
}

fn silent() -> SourceError {
    StorageError::Unavailable("the object store or the manifest store does not answer".to_owned()).into()
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
                    Answer::Again(at, _) => again = Some(again.map_or(*at, |sooner| sooner.min(*at))),
                }
            }
            (awaited, again)
        })
    }

    /// Takes out the returned deliveries whose time has come.
    fn take_due(&self) -> Vec<ObjectSummary> {
        let now = Instant::now();
        let due = |answer: &Answer| matches!(answer, Answer::Again(at, _) if *at <= now);
        self.with(|state| {
            let due = state.extract_if(|_, answer| due(answer));
            due.filter_map(|(_, answer)| match answer {
                Answer::Again(_, object) => Some(object),
                Answer::Awaited => None,
            })
            .collect()
        })
    }
}

#[derive(Debug)]
struct PollReceipt {
    object: ObjectSummary,
    deliveries: Arc<Deliveries>,
    answered: bool,
}

impl PollReceipt {
    fn again(&self, after: Duration) -> Answer {
        Answer::Again(Instant::now() + after, self.object.clone())
    }
}

#[async_trait]
impl Receipt for PollReceipt {
    async fn ack(mut self: Box<Self>) {
        self.answered = true;
        self.deliveries.settle(&self.object.object, None);
    }

    async fn nack(mut self: Box<Self>, after: Duration) {
        self.answered = true;
        self.deliveries.settle(&self.object.object, Some(self.again(after)));
    }
}

impl Drop for PollReceipt {
    fn drop(&mut self) {
        if !self.answered {
            self.deliveries.settle(&self.object.object, Some(self.again(Duration::ZERO)));
        }
    }
}
