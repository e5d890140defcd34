//! What SQS allows. Every adapter holds to it, so that a test on a fake says something about the queue.
//!
//! Source: "Amazon SQS message quotas" of its developer guide, and API_SendMessage.

use std::time::Duration;

use crate::{MAX_BATCH, QueueError};

/// The longest body, in bytes of UTF-8.
pub(crate) const MAX_BODY: usize = 1 << 20;

const MAX_VISIBILITY: Duration = Duration::from_secs(43_200);

/// The longest that `receive` waits.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(20);

pub(crate) fn check_batch(entries: usize) -> Result<(), QueueError> {
    if entries > MAX_BATCH {
        return Err(QueueError::Invalid(format!("{entries} entries in one call, the limit is {MAX_BATCH}")));
    }
    Ok(())
}

pub(crate) fn check_body(body: &str) -> Result<(), QueueError> {
    let refused = |why: String| Err(QueueError::Invalid(why));
    if body.is_empty() {
        return refused("the body is empty".to_owned());
    }
    if body.len() > MAX_BODY {
        return refused(format!("the body has {} bytes, the limit is {MAX_BODY}", body.len()));
    }
    match body.chars().find(|c| !is_allowed(*c)) {
        Some(c) => refused(format!("the body contains {}", c.escape_unicode())),
        None => Ok(()),
    }
}

/// The characters of XML 1.0, which is what SQS takes.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// As the queue counts it: 0 to 43,200 seconds, parts of a second up, so that nothing is hidden for less than wanted.
pub(crate) fn visibility_seconds(visibility: Duration) -> u16 {
    whole_seconds(visibility, MAX_VISIBILITY)
}

/// 0 to 20 seconds. Up, because a wait of zero is another kind of call: it asks only some of SQS's servers.
pub(crate) fn wait_seconds(wait: Duration) -> u16 {
    whole_seconds(wait, MAX_WAIT)
}

fn whole_seconds(time: Duration, max: Duration) -> u16 {
    let time = time.min(max);
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u16::try_from(seconds).expect("both limits are below 65,536 seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visibility_is_clamped_and_rounded_up() {
        for (given, seconds) in [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_secs(1), 1),
            (Duration::from_millis(1_001), 2),
            (Duration::from_secs(43_200), 43_200),
            (Duration::from_millis(43_200_001), 43_200),
            (Duration::MAX, 43_200),
        ] {
            assert_eq!(visibility_seconds(given), seconds, "{given:?}");
        }
        assert_eq!(wait_seconds(Duration::from_millis(300)), 1);
        assert_eq!(wait_seconds(Duration::from_secs(60)), 20);
    }

    #[test]
    fn bodies_of_allowed_characters_are_taken() {
        // API_SendMessage: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF
        for good in ["\t\n\r ", "\u{d7ff}\u{e000}\u{fffd}", "\u{10000}\u{10ffff}", "\u{7f}\u{85}"] {
            assert_eq!(check_body(good), Ok(()), "{good:?}");
        }
        for bad in ["", "a\0", "\u{8}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
            assert!(matches!(check_body(bad), Err(QueueError::Invalid(_))), "{bad:?}");
        }
        assert_eq!(check_body(&"x".repeat(1_048_576)), Ok(()));
        assert!(check_body(&"x".repeat(1_048_577)).is_err());
    }
}
