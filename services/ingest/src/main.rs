//! The ingest service.

use std::sync::Arc;

use imaging::Limits;
use ingest::{Arguments, Ingest};
use service::App;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Arguments = service::parse();
    let datasets = arguments.datasets();
    let annotations = arguments.annotations.settings()?;
    let common = arguments.common;
    let (input, output) = (common.input_prefix.clone(), common.output_prefix.clone());
    service::run(common, |_| {
        let stage = Ingest::new(input, output, datasets, Limits::default()).with_annotations(annotations);
        Ok(App { stage: Arc::new(stage), background: None })
    })
    .await
}
