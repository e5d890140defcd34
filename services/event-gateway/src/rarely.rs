//! Log lines that the outside world can cause at will.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const INTERVAL: Duration = Duration::from_secs(10);

/// Lets one line pass every ten seconds.
#[derive(Debug, Default)]
pub(crate) struct Rarely(Mutex<Passed>);

#[derive(Debug, Default)]
struct Passed {
    last: Option<Instant>,
    withheld: u64,
}

impl Rarely {
    /// Whether a line may be written now, and then how many were not since the last one.
    pub(crate) fn pass(&self) -> Option<u64> {
        let mut passed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            passed.withheld += 1;
            return None;
        }
        passed.last = Some(Instant::now());
        Some(std::mem::take(&mut passed.withheld))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lines_in_between_are_counted() {
        let rarely = Rarely::default();
        assert_eq!([rarely.pass(), rarely.pass(), rarely.pass()], [Some(0), None, None]);
        tokio::time::advance(INTERVAL).await;
        assert_eq!([rarely.pass(), rarely.pass()], [Some(2), None]);
    }
}
