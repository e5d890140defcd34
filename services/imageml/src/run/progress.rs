//! One bar per stage on a terminal, one line per stage elsewhere.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use pipeline::{Ending, Event, Observer};
use types::StageName;

use crate::output;

/// The progress of a run, stage by stage.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    current: Mutex<Option<Arc<StageProgress>>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn begin(&self, stage: StageName) -> Arc<StageProgress> {
        let progress = Arc::new(StageProgress::new(stage));
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&progress));
        progress
    }

    /// Ends the stage's bar, or prints its line.
    pub(crate) fn end(&self) {
        if let Some(stage) = self.current.lock().unwrap_or_else(PoisonError::into_inner).take() {
            stage.end();
        }
    }
}

/// Counts what happens in one stage.
pub(crate) struct StageProgress {
    stage: StageName,
    bar: ProgressBar,
    begun: Instant,
    before: AtomicU64,
    done: AtomicU64,
    rejected: AtomicU64,
}

impl StageProgress {
    fn new(stage: StageName) -> Self {
        let style = ProgressStyle::with_template("{prefix:>10} {bar:32} {pos}/{len} {per_sec} {eta} {msg}")
            .expect("the template is valid");
        // Hidden by itself where standard error is no terminal.
        let bar = ProgressBar::new(0).with_style(style).with_prefix(stage.as_str());
        Self {
            stage,
            bar,
            begun: Instant::now(),
            before: AtomicU64::new(0),
            done: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
        }
    }

    fn end(&self) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (done, rejected, before) = (count(&self.done), count(&self.rejected), count(&self.before));
        let mut text = format!("{}: {done} done", self.stage);
        if rejected > 0 {
            text += &format!(", {rejected} rejected");
        }
        if before > 0 {
            text += &format!(", {before} before");
        }
        text += &format!(" in {:.1} s", self.begun.elapsed().as_secs_f64());
        self.bar.finish_and_clear();
        output::note(text);
    }
}

impl fmt::Debug for StageProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageProgress").field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl Observer for StageProgress {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Discovered { objects, settled } => {
                self.bar.inc_length(*objects);
                self.bar.inc(*settled);
                self.before.fetch_add(*settled, Ordering::Relaxed);
            }
            Event::Finished { ending: Ending::Done, .. } => {
                self.done.fetch_add(1, Ordering::Relaxed);
                self.bar.inc(1);
            }
            Event::Finished { ending: Ending::Rejected(_), .. } => {
                let rejected = self.rejected.fetch_add(1, Ordering::Relaxed) + 1;
                self.bar.inc(1);
                self.bar.set_message(format!("{rejected} rejected"));
            }
            Event::Finished { ending: Ending::AlreadySettled | Ending::Ignored(_), .. } => self.bar.inc(1),
            Event::Finished { ending: Ending::Retried | Ending::HandedBack, .. }
            | Event::Ignored { .. }
            | Event::Polled
            | Event::Received { .. }
            | Event::Message(_)
            | Event::Started { .. }
            | Event::Step { .. }
            | Event::Uploaded { .. } => {}
        }
    }
}
