//! Settings of the ingest service.

use std::path::{Path, PathBuf};

use annotations::FrameKind;
use anyhow::Context;
use clap::{Args, Parser};
use image_workers::WorkerArguments;
use label_studio::WorkerSettings;
use pipeline::DatasetRoute;
use service::CommonArguments;
use types::DatasetName;

use crate::{GivenLabelConfig, ImportSettings, ReadSettings};

/// Stage 1: inspects every image that lands below the input prefix, catalogues it, and keeps it in bronze
#[derive(Debug, Parser)]
#[command(
    name = "imageml-ingest",
    version,
    after_help = "\
Example:
  DATABASE_URL=postgres://imageml@db/imageml AWS_ENDPOINT_URL=http://rustfs:9000 \\
    imageml-ingest --input-prefix s3://inbox --output-prefix s3://bronze"
)]
pub struct Arguments {
    /// Everything below the input prefix belongs to this dataset [default: the first folder names it]
    #[arg(long, env = "DATASET", value_name = "NAME")]
    pub dataset: Option<DatasetName>,
    /// How annotation files are imported.
    #[command(flatten)]
    pub annotations: AnnotationArguments,
    /// How pictures are decoded.
    #[command(flatten)]
    pub decoders: WorkerArguments,
    /// What every service takes.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// How annotation files are imported.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Annotations")]
pub struct AnnotationArguments {
    /// Where ImageML's `python/label_studio_worker` and its environment are: `make setup-python` makes it
    #[arg(long, env = "LABEL_STUDIO_ROOT", hide_env_values = true, default_value = ".", value_name = "DIR")]
    pub label_studio_root: PathBuf,
    /// The pixels that COCO files are drawn on: as displayed, turned by the EXIF orientation, or as stored
    #[arg(long, env = "COCO_FRAME", default_value = "displayed", value_name = "FRAME", value_parser = frame)]
    pub coco_frame: FrameKind,
    /// The label configuration (XML) of the Label Studio project: annotations by other controls or labels are refused
    #[arg(long, env = "LABEL_CONFIG", value_name = "FILE")]
    pub label_config: Option<PathBuf>,
    /// Reject a file of which anything cannot be imported
    #[arg(long, env = "STRICT_ANNOTATIONS")]
    pub strict_annotations: bool,
}

impl AnnotationArguments {
    /// The stage's settings.
    ///
    /// # Errors
    /// The label configuration cannot be read.
    pub fn settings(&self) -> anyhow::Result<ImportSettings> {
        let label_config = self.label_config.as_deref().map(label_config).transpose()?;
        Ok(ImportSettings {
            read: ReadSettings { coco_frame: self.coco_frame, label_config },
            strict: self.strict_annotations,
            worker: Some(WorkerSettings::below(&self.label_studio_root)),
        })
    }
}

fn label_config(path: &Path) -> anyhow::Result<GivenLabelConfig> {
    let xml = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    GivenLabelConfig::parse(&xml).with_context(|| format!("{}", path.display()))
}

fn frame(text: &str) -> Result<FrameKind, String> {
    match text {
        "displayed" => Ok(FrameKind::Displayed),
        "stored" => Ok(FrameKind::Stored),
        _ => Err("expected displayed or stored".to_owned()),
    }
}

impl Arguments {
    /// How objects find their dataset.
    pub fn datasets(&self) -> DatasetRoute {
        self.dataset.clone().map_or(DatasetRoute::FirstSegment, DatasetRoute::Fixed)
    }
}
