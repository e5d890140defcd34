//! Train, validation and test.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ImageId, Sha256};

/// A part of a dataset version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose by.
    Val,
    /// To judge by.
    Test,
}

impl Split {
    /// Every split, in the order in which manifests list them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// The name as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|split| split.as_str() == text)
            .ok_or_else(|| format!("unknown split {text:?}: expected train, val or test"))
    }
}

/// The wanted shares of train, val and test in percent, adding up to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SplitRatios {
    train: u8,
    val: u8,
    test: u8,
}

impl SplitRatios {
    /// The split of a group of samples: a stable hash of `salt` and the group, never of a file name or of
    /// the order of arrival, so that more data moves no old sample.
    pub fn assign(self, salt: &str, group: ImageId) -> Split {
        let digest = Sha256::of(format!("{salt}\0{group}"));
        let mut head = [0; 8];
        head.copy_from_slice(&digest.as_bytes()[..8]);
        let percentile = u64::from_be_bytes(head) % 100;
        if percentile < u64::from(self.train) {
            Split::Train
        } else if percentile < u64::from(self.train) + u64::from(self.val) {
            Split::Val
        } else {
            Split::Test
        }
    }
}

impl Default for SplitRatios {
    fn default() -> Self {
        Self { train: 90, val: 5, test: 5 }
    }
}

impl FromStr for SplitRatios {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse =
            || format!("split {text:?}: expected TRAIN/VAL/TEST in percent, adding up to 100, like 90/5/5");
        let parts: Result<Vec<u8>, _> = text.split('/').map(str::parse).collect();
        match parts.as_deref() {
            Ok(&[train, val, test]) if u16::from(train) + u16::from(val) + u16::from(test) == 100 => {
                Ok(Self { train, val, test })
            }
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for SplitRatios {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.train, self.val, self.test)
    }
}

impl TryFrom<String> for SplitRatios {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<SplitRatios> for String {
    fn from(ratios: SplitRatios) -> Self {
        ratios.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_near_what_was_asked() {
        let ratios = SplitRatios::default();
        let mut counts = [0u32; 3];
        for n in 0..20_000u32 {
            let group = ImageId::of(&Sha256::of(n.to_be_bytes()));
            counts[ratios.assign("salt", group) as usize] += 1;
        }
        // Binomial with n = 20,000: six standard deviations are 255 for train and 185 for the others.
        assert!(counts[0].abs_diff(18_000) < 255, "{counts:?}");
        assert!(counts[1].abs_diff(1_000) < 185 && counts[2].abs_diff(1_000) < 185, "{counts:?}");
    }

    #[test]
    fn ratios_must_add_up() {
        assert!("80/10/10".parse::<SplitRatios>().is_ok());
        for bad in ["90/5", "90/5/6", "a/b/c", "", "100", "300/0/0"] {
            assert!(bad.parse::<SplitRatios>().is_err(), "{bad}");
        }
    }
}
