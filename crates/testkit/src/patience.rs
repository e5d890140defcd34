//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

use anyhow::bail;

const INTERVAL: Duration = Duration::from_millis(20);

/// Looks again and again until there is something to see.
///
/// # Errors
/// Looking failed, or there was nothing within `limit`; the message says for what we waited.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        if Instant::now() > deadline {
            bail!("waited {limit:?} in vain until {what}");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
