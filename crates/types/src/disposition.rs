//! What to do about a failure. Every error of every crate maps to exactly one of these.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the engine does with work that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Try again, not before `after`. Counts as an attempt.
    Retry {
        /// The least time to wait.
        after: Duration,
    },
    /// The place where we work is broken (a store is away, access is denied, the disk is full), not the work: it
    /// would hit other work too. Wait for it to pass; no attempt counts.
    Outage {
        /// The least time to wait.
        after: Duration,
    },
    /// The work can never succeed: quarantine it with this reason.
    Reject(RejectReason),
    /// We were asked to stop: hand the work back, count nothing.
    Cancelled,
    /// The effect may have happened (a commit whose answer was lost): never compensate, look again.
    Unknown,
}

/// Why work was refused for good: a stable code for machines and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectReason {
    /// The closed set that metrics, filters and `rejected redrive --reason` use.
    pub code: RejectCode,
    /// What exactly was wrong, in words; may be empty.
    pub detail: String,
}

impl RejectReason {
    /// A reason with its detail.
    pub fn new(code: RejectCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() {
            write!(f, "{}", self.code)
        } else {
            write!(f, "{}: {}", self.code, self.detail)
        }
    }
}

macro_rules! reject_codes {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)*) => {
        /// The closed set of reasons for a rejection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum RejectCode {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl RejectCode {
            /// Every code, for zero-initialised metrics and `--help`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

reject_codes! {
    /// Not an image at all, by its first bytes.
    NotAnImage => "not_an_image",
    /// An image of a kind that we do not read (SVG, HEIC, AVIF, …), or a sub-kind of a known one.
    UnsupportedFormat => "unsupported_format",
    /// Zero bytes.
    Empty => "empty",
    /// The data ends before the image does.
    Truncated => "truncated",
    /// The data contradicts its format.
    Corrupt => "corrupt",
    /// More bytes, pixels, frames, scans or metadata than the limits allow.
    LimitExceeded => "limit_exceeded",
    /// The decoder itself failed (a panic, a crash).
    DecoderFailure => "decoder_failure",
    /// The object key cannot be carried through the pipeline.
    InvalidKey => "invalid_key",
    /// Another input already gave the dataset a different image under this key.
    KeyTaken => "key_taken",
    /// A plan or request that does not parse or contradicts itself.
    InvalidRequest => "invalid_request",
    /// JSON that is neither Label Studio's nor COCO's, or that holds nothing that can be imported.
    InvalidAnnotations => "invalid_annotations",
    /// The converter of annotations is not installed here.
    ConverterMissing => "converter_missing",
    /// An object that the work needs is gone or has changed.
    InputMissing => "input_missing",
    /// The work needs more NVMe or memory than this deployment has.
    TooLarge => "too_large",
    /// It failed `MAX_ATTEMPTS` times; the detail is the last error.
    AttemptsExhausted => "attempts_exhausted",
}

impl fmt::Display for RejectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RejectCode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|code| code.as_str()).collect();
            format!("unknown reason {text:?}: expected one of {}", all.join(", "))
        })
    }
}
