//! Settings of the ingest service.

use clap::Parser;
use pipeline::DatasetRoute;
use service::CommonArguments;
use types::DatasetName;

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
    /// What every service takes.
    #[command(flatten)]
    pub common: CommonArguments,
}

impl Arguments {
    /// How objects find their dataset.
    pub fn datasets(&self) -> DatasetRoute {
        self.dataset.clone().map_or(DatasetRoute::FirstSegment, DatasetRoute::Fixed)
    }
}
