//! `imageml annotations`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ingest::AnnotationArguments;
use types::{DatasetName, Split, VersionNumber};

use super::{BackendArguments, HomeArguments, MachineArguments};

#[derive(Debug, Subcommand)]
pub(crate) enum AnnotationsCommand {
    /// Import Label Studio or COCO files; the next `imageml run` publishes a version with them
    Import(ImportArguments),
    /// Write the annotations of a published version, in the pixels of one of its variants
    Export(ExportArguments),
    /// Count what there is per class and split; list what is not used, and why
    Report {
        /// The dataset
        name: DatasetName,
        /// Where to look.
        #[command(flatten)]
        backend: BackendArguments,
    },
}

/// The format of an annotation file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// COCO JSON.
    Coco,
    /// Label Studio tasks.
    LabelStudio,
}

impl From<ExportFormat> for annotations::Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Coco => Self::Coco,
            ExportFormat::LabelStudio => Self::LabelStudio,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Written are the images that people have looked at, also those with nothing on them. Pictures are named by their image \
id, as in the shards.

Example:
  imageml annotations export --dataset street --version 2 --variant 720p --format coco --output street.json")]
pub(crate) struct ExportArguments {
    /// The dataset
    #[arg(long, short, value_name = "NAME")]
    pub(crate) dataset: DatasetName,
    /// Its version
    #[arg(long, value_name = "N")]
    pub(crate) version: VersionNumber,
    /// The variant in whose pixels coordinates are
    #[arg(long, value_name = "VARIANT")]
    pub(crate) variant: String,
    /// Only this split
    #[arg(long, value_name = "SPLIT")]
    pub(crate) split: Option<Split>,
    /// What to write
    #[arg(long, default_value = "coco", value_name = "FORMAT")]
    pub(crate) format: ExportFormat,
    /// The file to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Where to look.
    #[command(flatten)]
    pub(crate) backend: BackendArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A file is recognised by its content: a Label Studio export (tasks, or annotations as its target storage writes them), \
or COCO. Its records are joined to images by S3 URI, key or file name when a version is planned, so images may come \
later. A newer file of the same name takes the place of the older one.

Example:
  imageml annotations import export.json --dataset street && imageml annotations report street")]
pub(crate) struct ImportArguments {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The dataset
    #[arg(long, short, value_name = "NAME")]
    pub(crate) dataset: DatasetName,
    /// Where, and how it is said.
    #[command(flatten)]
    pub(crate) at: HomeArguments,
    /// How files are read.
    #[command(flatten)]
    pub(crate) annotations: AnnotationArguments,
    /// How the machine is used.
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
}
