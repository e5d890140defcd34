//! Settings of the normalize service.

use clap::{Args, Parser, ValueEnum};
use image_workers::WorkerArguments;
use service::CommonArguments;
use types::{
    AlphaPolicy, InvalidPolicy, JpegQuality, NormalizationPolicy, OutputFormat, Rgb, SIZE_GRAMMAR, Sizes,
};

/// Stage 2: makes one rendition per wanted size of every image in bronze
#[derive(Debug, Parser)]
#[command(
    name = "imageml-normalize",
    version,
    after_help = "\
Example:
  DATABASE_URL=postgres://imageml@db/imageml AWS_ENDPOINT_URL=http://rustfs:9000 \\
    imageml-normalize --input-prefix s3://bronze --output-prefix s3://silver --sizes 1080p,720p"
)]
pub struct Arguments {
    /// What the renditions look like.
    #[command(flatten)]
    pub policy: PolicyArguments,
    /// How pictures are decoded.
    #[command(flatten)]
    pub decoders: WorkerArguments,
    /// What every service takes.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// The file format of renditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Baseline JPEG, 4:2:0
    Jpeg,
    /// 8-bit PNG
    Png,
    /// Lossy WebP
    Webp,
}

/// What renditions look like.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Normalization policy")]
pub struct PolicyArguments {
    /// Wanted sizes, like 1080p,720p,800x600:crop
    #[arg(long, env = "NORMALIZE_SIZES", default_value = "1080p,720p,800x600", value_name = "LIST", long_help = SIZE_GRAMMAR)]
    pub sizes: Sizes,
    /// File format of the renditions
    #[arg(long, env = "NORMALIZE_FORMAT", default_value = "jpeg", value_name = "FORMAT")]
    pub format: Format,
    /// Quality of JPEG and WebP, 1 to 100
    #[arg(long, env = "NORMALIZE_QUALITY", default_value = "90", value_name = "N")]
    pub quality: JpegQuality,
    /// Keep transparency (png and webp only) instead of blending it over the background colour
    #[arg(long, env = "NORMALIZE_KEEP_ALPHA")]
    pub keep_alpha: bool,
    /// The colour behind transparent pixels, #rrggbb
    #[arg(long, env = "NORMALIZE_BACKGROUND", default_value = "#ffffff", value_name = "COLOUR")]
    pub background: Rgb,
    /// The colour of letterbox bars, #rrggbb
    #[arg(long, env = "NORMALIZE_PAD_COLOUR", default_value = "#000000", value_name = "COLOUR")]
    pub pad_colour: Rgb,
}

impl PolicyArguments {
    /// The policy.
    ///
    /// # Errors
    /// The settings contradict each other.
    pub fn policy(&self) -> Result<NormalizationPolicy, InvalidPolicy> {
        let quality = self.quality;
        let format = match self.format {
            Format::Jpeg => OutputFormat::Jpeg { quality },
            Format::Png => OutputFormat::Png,
            Format::Webp => OutputFormat::WebP { quality },
        };
        let alpha = if self.keep_alpha {
            AlphaPolicy::Keep
        } else {
            AlphaPolicy::Flatten { background: self.background }
        };
        NormalizationPolicy::new(self.sizes.clone(), format, alpha, self.pad_colour)
    }
}
