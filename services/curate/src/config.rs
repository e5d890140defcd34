//! Settings of the curate service.

use clap::Parser;
use service::CommonArguments;

/// Stage 4: builds curated training datasets from published versions
#[derive(Debug, Parser)]
#[command(
    name = "imageml-curate",
    version,
    after_help = "\
The input prefix holds curation requests, each below the name that it gives, PREFIX/<name>/<any file name>.json:
  {\"name\": \"street-train\", \"dataset\": \"street\", \"version\": 3, \"variant\": \"720p\", \"splits\": [\"train\"]}

Example:
  DATABASE_URL=postgres://imageml@db/imageml AWS_ENDPOINT_URL=http://rustfs:9000 \\
    imageml-curate --input-prefix s3://requests --output-prefix s3://training"
)]
pub struct Arguments {
    /// What every service takes.
    #[command(flatten)]
    pub common: CommonArguments,
}
