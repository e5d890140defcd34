//! Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::output;

/// The exit code after a second Ctrl-C: 128 + SIGINT, as shells have it.
const STOPPED_AT_ONCE: i32 = 130;

/// Whether we were asked to stop.
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C only asks; a second one ends the process.
    pub(super) fn watch() -> Self {
        let interrupt = Self::default();
        tokio::spawn(interrupt.clone().wait());
        interrupt
    }

    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    #[expect(clippy::disallowed_methods, reason = "messages that we held come back by themselves")]
    async fn wait(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        output::note("interrupted: making messages visible again (Ctrl-C again to stop at once)");
        self.0.store(true, Ordering::Relaxed);
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(STOPPED_AT_ONCE);
        }
    }
}
