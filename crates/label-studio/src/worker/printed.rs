//! What the worker prints on standard error: logged, and its end kept for error messages.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How much of the end is kept.
const KEPT: usize = 4 * 1024;
/// How much is logged at once.
const CHUNK: usize = 4 * 1024;

/// The end of what was printed so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed {
    end: Arc<Mutex<VecDeque<u8>>>,
}

impl Printed {
    /// Reads until the stream ends, so that the worker never waits for a full pipe.
    pub(crate) async fn follow(self, mut stream: impl AsyncRead + Unpin) {
        let mut chunk = vec![0; CHUNK];
        while let Ok(length @ 1..) = stream.read(&mut chunk).await {
            let text = chunk.get(..length).unwrap_or_default();
            tracing::debug!(text = %String::from_utf8_lossy(text).trim_end(), "label studio worker printed");
            self.keep(text);
        }
    }

    fn keep(&self, text: &[u8]) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.extend(text);
        let surplus = end.len().saturating_sub(KEPT);
        end.drain(..surplus);
    }

    /// The end, trimmed.
    pub(crate) fn end(&self) -> String {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(end.make_contiguous()).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_end_is_kept() {
        let printed = Printed::default();
        let text = format!("{}the end\n", "x".repeat(100_000));
        printed.clone().follow(text.as_bytes()).await;
        let end = printed.end();
        assert!(end.ends_with("xthe end"), "{end}");
        assert_eq!(end.len(), KEPT - 1);
    }
}
