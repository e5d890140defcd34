//! `imageml preview`.

use std::path::PathBuf;

use clap::{Args, value_parser};
use types::{DatasetName, Split, VersionNumber};

use super::BackendArguments;

#[derive(Debug, Args)]
#[command(after_help = "\
Boxes, polygons, masks, ellipses and points are drawn where trainers get them: from the published version, in the \
variant's own pixels. A category has the same colour on every sheet of a dataset. Of the samples that match, the seed \
decides which are shown.

Examples:
  imageml preview --dataset street --variant 720p --output sheet.png
  imageml preview --dataset street --variant 720p --version 3 --split val --label car --samples 60 --output cars.png")]
pub(crate) struct PreviewArguments {
    /// The dataset
    #[arg(long, short, value_name = "NAME")]
    pub(crate) dataset: DatasetName,
    /// The variant to show
    #[arg(long, value_name = "VARIANT")]
    pub(crate) variant: String,
    /// The PNG file to write
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The published version [default: the latest]
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<VersionNumber>,
    /// Only this split
    #[arg(long, value_name = "SPLIT")]
    pub(crate) split: Option<Split>,
    /// Only samples with this label; may be given several times, then with any of them
    #[arg(long = "label", value_name = "LABEL")]
    pub(crate) labels: Vec<String>,
    /// Only samples that people have looked at
    #[arg(long)]
    pub(crate) reviewed: bool,
    /// How many samples at most
    #[arg(long, default_value_t = 24, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000))]
    pub(crate) samples: u32,
    /// Pictures in a row
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = value_parser!(u32).range(1..=100))]
    pub(crate) columns: u32,
    /// Pixels of each side of a picture's place
    #[arg(long, default_value_t = 320, value_name = "PIXELS", value_parser = value_parser!(u32).range(64..=2_048))]
    pub(crate) cell: u32,
    /// Another seed shows other samples
    #[arg(long, default_value = "imageml", value_name = "TEXT")]
    pub(crate) seed: String,
    /// Where to look.
    #[command(flatten)]
    pub(crate) backend: BackendArguments,
}
