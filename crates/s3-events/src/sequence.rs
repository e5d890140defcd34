//! Which of two events was first.

use std::cmp::Ordering;

use crate::ObjectEvent;

impl ObjectEvent {
    /// Whether this happened before or after `other`, by their sequencers. `None` for different objects, and when
    /// either has no sequencer (tagging events, moto).
    ///
    /// The S3 user guide: "You can't use `sequencer` to determine order for events on different object keys. The
    /// sequencers can be of different lengths. So, to compare these values, first right pad the shorter value with
    /// zeros, and then do a lexicographical comparison." (Older editions say "left pad".) Capitals do not
    /// count: the digits are hexadecimal.
    ///
    /// The sequencers of MinIO and RustFS are a clock in nanoseconds, so what happens at nearly the same moment can
    /// appear in the wrong order.
    #[must_use]
    pub fn cmp_sequence(&self, other: &Self) -> Option<Ordering> {
        if self.bucket != other.bucket || self.key != other.key {
            return None;
        }
        let (ours, theirs) = (self.sequencer.as_ref()?, other.sequencer.as_ref()?);
        let length = ours.len().max(theirs.len());
        Some(digits(ours, length).cmp(digits(theirs, length)))
    }
}

fn digits(sequencer: &str, length: usize) -> impl Iterator<Item = u8> {
    sequencer.bytes().map(|digit| digit.to_ascii_uppercase()).chain(std::iter::repeat(b'0')).take(length)
}
