//! Size specs: which renditions of an original are wanted.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The grammar of a list of sizes, shown whenever one is refused.
pub const SIZE_GRAMMAR: &str = "\
sizes are separated by commas, each one of
  2160p 1440p 1080p 720p 480p 360p   fit inside that 16:9 box, keep the aspect ratio, never enlarge
  WIDTHxHEIGHT[:pad|:crop|:stretch]  exactly that size (default pad: letterbox), each side 1 to 16384
for example: 1080p,720p,800x600:crop";

const MAX_SIDE: u32 = 16_384;
const MAX_SIZES: usize = 16;

/// The boxes behind the `…p` tokens.
const BOXES: [(&str, u32, u32); 6] = [
    ("2160p", 3840, 2160),
    ("1440p", 2560, 1440),
    ("1080p", 1920, 1080),
    ("720p", 1280, 720),
    ("480p", 854, 480),
    ("360p", 640, 360),
];

/// How an image meets its box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Inside the box, aspect ratio kept, never enlarged; the output is at most the box.
    Inside,
    /// Exactly the box: the whole image, enlarged if need be, centred on the pad colour (letterbox).
    Pad,
    /// Exactly the box: the image covers it, what overhangs is cut off evenly.
    Crop,
    /// Exactly the box: each axis scaled by itself.
    Stretch,
}

/// One wanted rendition: a box and how to meet it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SizeSpec {
    width: u32,
    height: u32,
    fit: Fit,
}

impl SizeSpec {
    /// The box in pixels, both sides at least 1.
    pub fn size(self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// How the image meets the box.
    pub fn fit(self) -> Fit {
        self.fit
    }

    /// The variant's name, safe in object keys: `1080p`, `800x600`, `800x600-crop`.
    pub fn name(self) -> String {
        let Self { width, height, fit } = self;
        match fit {
            Fit::Inside => BOXES
                .iter()
                .find(|(_, w, h)| (*w, *h) == (width, height))
                .map(|(name, ..)| (*name).to_owned())
                .expect("only the named boxes are parsed as Inside"),
            Fit::Pad => format!("{width}x{height}"),
            Fit::Crop => format!("{width}x{height}-crop"),
            Fit::Stretch => format!("{width}x{height}-stretch"),
        }
    }
}

impl FromStr for SizeSpec {
    type Err = InvalidSizes;

    fn from_str(token: &str) -> Result<Self, InvalidSizes> {
        if let Some((_, width, height)) = BOXES.iter().find(|(name, ..)| *name == token) {
            return Ok(Self { width: *width, height: *height, fit: Fit::Inside });
        }
        let refuse = |problem| InvalidSizes::new(token, problem);
        let (size, fit) = match token.split_once(':') {
            None => (token, Fit::Pad),
            Some((size, "pad")) => (size, Fit::Pad),
            Some((size, "crop")) => (size, Fit::Crop),
            Some((size, "stretch")) => (size, Fit::Stretch),
            Some(_) => return Err(refuse("unknown fit")),
        };
        let (width, height) = size.split_once('x').ok_or_else(|| refuse("unknown size"))?;
        let side = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let value = digits.then(|| text.parse::<u32>().ok()).flatten();
            value.filter(|side| (1..=MAX_SIDE).contains(side))
        };
        match (side(width), side(height)) {
            (Some(width), Some(height)) => Ok(Self { width, height, fit }),
            _ => Err(refuse("a side is not a number from 1 to 16384")),
        }
    }
}

impl fmt::Display for SizeSpec {
    /// The token that parses back to this spec.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, fit } = self;
        match fit {
            Fit::Inside => f.write_str(&self.name()),
            Fit::Pad => write!(f, "{width}x{height}"),
            Fit::Crop => write!(f, "{width}x{height}:crop"),
            Fit::Stretch => write!(f, "{width}x{height}:stretch"),
        }
    }
}

/// One to sixteen different size specs, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sizes(Vec<SizeSpec>);

impl Sizes {
    /// The specs, in the order given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = SizeSpec> + '_ {
        self.0.iter().copied()
    }
}

impl Default for Sizes {
    fn default() -> Self {
        "1080p,720p,800x600".parse().expect("the default list is valid")
    }
}

impl FromStr for Sizes {
    type Err = InvalidSizes;

    fn from_str(list: &str) -> Result<Self, InvalidSizes> {
        let mut seen = BTreeSet::new();
        let mut specs = Vec::new();
        for token in list.split(',').map(str::trim) {
            let spec: SizeSpec = token.parse()?;
            if !seen.insert(spec) {
                return Err(InvalidSizes::new(token, "the same size twice"));
            }
            specs.push(spec);
        }
        if specs.len() > MAX_SIZES {
            return Err(InvalidSizes::new(list, "more than 16 sizes"));
        }
        Ok(Self(specs))
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&tokens.join(","))
    }
}

/// Why a size, or a list of sizes, was refused; the message carries the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("size {token:?}: {problem}\n{SIZE_GRAMMAR}")]
pub struct InvalidSizes {
    token: String,
    problem: &'static str,
}

impl InvalidSizes {
    fn new(token: &str, problem: &'static str) -> Self {
        Self { token: token.chars().take(60).collect(), problem }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_mean_what_the_grammar_says() {
        let sizes: Sizes = "1080p, 720p,800x600,640x480:crop,100x200:stretch".parse().expect("valid");
        let names: Vec<_> = sizes.iter().map(SizeSpec::name).collect();
        assert_eq!(names, ["1080p", "720p", "800x600", "640x480-crop", "100x200-stretch"]);
        let first = sizes.iter().next().expect("five sizes");
        assert_eq!((first.size(), first.fit()), ((1920, 1080), Fit::Inside));
    }

    #[test]
    fn nonsense_is_refused_with_the_grammar() {
        for bad in [
            "",
            "1080",
            "1080P",
            "0x600",
            "800x0",
            "800x",
            "x600",
            "-1x5",
            "+800x600",
            "800x600:fill",
            "99999x1",
            "800x600x3",
            "720p,720p",
            "800x600,800x600:pad",
            "720p,,360p",
            "８００x６００",
        ] {
            let error = bad.parse::<Sizes>().expect_err(bad).to_string();
            assert!(error.contains("WIDTHxHEIGHT[:pad|:crop|:stretch]"), "{error}");
        }
        let many: Vec<_> = (1..=17).map(|n| format!("{n}x1")).collect();
        assert!(many.join(",").parse::<Sizes>().is_err());
    }

    proptest! {
        #[test]
        fn specs_parse_what_they_print(w in 1..=MAX_SIDE, h in 1..=MAX_SIDE, fit in 0..3usize) {
            let spec = SizeSpec { width: w, height: h, fit: [Fit::Pad, Fit::Crop, Fit::Stretch][fit] };
            prop_assert_eq!(spec.to_string().parse::<SizeSpec>().expect("prints a token"), spec);
            prop_assert!(spec.name().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        }
    }
}
