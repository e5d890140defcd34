//! Normalization policies: everything that decides the bytes of a variant, and its hash.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{PolicyHash, SizeSpec, Sizes};

/// Why a policy was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPolicy(String);

/// Quality of a lossy encoder, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct JpegQuality(u8);

impl JpegQuality {
    /// The number, 1 to 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for JpegQuality {
    fn default() -> Self {
        Self(90)
    }
}

impl TryFrom<u8> for JpegQuality {
    type Error = InvalidPolicy;

    fn try_from(quality: u8) -> Result<Self, InvalidPolicy> {
        if (1..=100).contains(&quality) {
            Ok(Self(quality))
        } else {
            Err(InvalidPolicy(format!("quality {quality} is not from 1 to 100")))
        }
    }
}

impl From<JpegQuality> for u8 {
    fn from(quality: JpegQuality) -> Self {
        quality.0
    }
}

impl FromStr for JpegQuality {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        let number: u8 =
            text.parse().map_err(|_| InvalidPolicy(format!("quality {text:?} is not from 1 to 100")))?;
        number.try_into()
    }
}

/// What variants are encoded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "format")]
pub enum OutputFormat {
    /// Baseline JPEG, 4:2:0.
    Jpeg {
        /// Encoder quality.
        quality: JpegQuality,
    },
    /// 8-bit PNG, lossless.
    Png,
    /// Lossy WebP.
    WebP {
        /// Encoder quality.
        quality: JpegQuality,
    },
}

impl OutputFormat {
    /// The file extension, without a dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "jpg",
            Self::Png => "png",
            Self::WebP { .. } => "webp",
        }
    }

    /// The MIME type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP { .. } => "image/webp",
        }
    }
}

impl Default for OutputFormat {
    fn default() -> Self {
        Self::Jpeg { quality: JpegQuality::default() }
    }
}

/// An opaque 8-bit sRGB colour, written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rgb(pub [u8; 3]);

impl Rgb {
    /// `#000000`
    pub const BLACK: Self = Self([0; 3]);
    /// `#ffffff`
    pub const WHITE: Self = Self([255; 3]);
}

impl FromStr for Rgb {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        let mut rgb = [0; 3];
        let digits = text.strip_prefix('#').unwrap_or(text);
        hex::decode_to_slice(digits, &mut rgb)
            .map(|()| Self(rgb))
            .map_err(|_| InvalidPolicy(format!("colour {text:?} is not of the form #rrggbb")))
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", hex::encode(self.0))
    }
}

impl TryFrom<String> for Rgb {
    type Error = InvalidPolicy;

    fn try_from(text: String) -> Result<Self, InvalidPolicy> {
        text.parse()
    }
}

impl From<Rgb> for String {
    fn from(colour: Rgb) -> Self {
        colour.to_string()
    }
}

/// What becomes of transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "alpha")]
pub enum AlphaPolicy {
    /// Blend over an opaque colour.
    Flatten {
        /// The colour behind.
        background: Rgb,
    },
    /// Keep the alpha channel where the original has one.
    Keep,
}

/// Everything that decides what a variant looks like, byte for byte.
///
/// Its canonical form is JSON with sorted keys and sorted sizes; its hash goes into keys and claims, so any
/// change of policy is new work under new names, and old results stay what they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalizationPolicy {
    sizes: Sizes,
    format: OutputFormat,
    alpha: AlphaPolicy,
    pad: Rgb,
    hash: PolicyHash,
}

impl NormalizationPolicy {
    /// The version of our decode–resize–encode chain. Raise it when the same input and settings give other bytes.
    pub const ENCODER_VERSION: &str = "imageml-imaging-3";

    /// A policy from its settings.
    ///
    /// # Errors
    /// JPEG cannot keep alpha.
    pub fn new(
        sizes: Sizes,
        format: OutputFormat,
        alpha: AlphaPolicy,
        pad: Rgb,
    ) -> Result<Self, InvalidPolicy> {
        if matches!((format, alpha), (OutputFormat::Jpeg { .. }, AlphaPolicy::Keep)) {
            return Err(InvalidPolicy(
                "JPEG has no alpha channel: flatten, or choose png or webp".to_owned(),
            ));
        }
        let mut policy = Self { sizes, format, alpha, pad, hash: PolicyHash::of("") };
        policy.hash = PolicyHash::of(policy.canonical());
        Ok(policy)
    }

    /// The wanted sizes.
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// The output format.
    pub fn format(&self) -> OutputFormat {
        self.format
    }

    /// What becomes of transparency.
    pub fn alpha(&self) -> AlphaPolicy {
        self.alpha
    }

    /// The colour of letterbox bars.
    pub fn pad(&self) -> Rgb {
        self.pad
    }

    /// The hash of [`Self::canonical`].
    pub fn hash(&self) -> PolicyHash {
        self.hash
    }

    /// The canonical form: one line of JSON, keys and sizes sorted.
    pub fn canonical(&self) -> String {
        let mut sizes: Vec<_> = self.sizes.iter().map(|size: SizeSpec| size.to_string()).collect();
        sizes.sort_unstable();
        // serde_json's map is ordered by key, which is what makes this canonical.
        json!({
            "alpha": self.alpha,
            "colour": "srgb",
            "encoder": Self::ENCODER_VERSION,
            "filter": "lanczos3",
            "output": self.format,
            "pad": self.pad,
            "sizes": sizes,
        })
        .to_string()
    }
}

impl Default for NormalizationPolicy {
    fn default() -> Self {
        let alpha = AlphaPolicy::Flatten { background: Rgb::WHITE };
        Self::new(Sizes::default(), OutputFormat::default(), alpha, Rgb::BLACK)
            .expect("the default policy is valid")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_sizes(sizes: &str) -> NormalizationPolicy {
        let alpha = AlphaPolicy::Flatten { background: Rgb::WHITE };
        NormalizationPolicy::new(sizes.parse().expect("valid"), OutputFormat::default(), alpha, Rgb::BLACK)
            .expect("valid")
    }

    #[test]
    fn canonical_form_is_pinned() {
        // Stored hashes depend on this text: changing it re-does all work of every deployment.
        assert_eq!(
            NormalizationPolicy::default().canonical(),
            r##"{"alpha":{"alpha":"flatten","background":"#ffffff"},"colour":"srgb","encoder":"imageml-imaging-3","filter":"lanczos3","output":{"format":"jpeg","quality":90},"pad":"#000000","sizes":["1080p","720p","800x600"]}"##
        );
    }

    #[test]
    fn the_order_of_sizes_does_not_matter_and_everything_else_does() {
        assert_eq!(with_sizes("720p,360p").hash(), with_sizes("360p,720p").hash());
        assert_ne!(with_sizes("720p").hash(), with_sizes("360p").hash());
        assert_ne!(with_sizes("8x6").hash(), with_sizes("8x6:crop").hash());
    }

    #[test]
    fn jpeg_cannot_keep_alpha() {
        let kept = NormalizationPolicy::new(
            Sizes::default(),
            OutputFormat::default(),
            AlphaPolicy::Keep,
            Rgb::BLACK,
        );
        assert!(kept.is_err());
    }
}
