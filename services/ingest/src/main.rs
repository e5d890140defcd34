//! The ingest service.

use std::sync::Arc;

use image_workers::{ImageWorkers, serve_if_asked};
use ingest::{Arguments, Ingest};
use service::App;

fn main() -> anyhow::Result<()> {
    match serve_if_asked() {
        Some(served) => Ok(served?),
        None => serve(),
    }
}

#[tokio::main]
async fn serve() -> anyhow::Result<()> {
    let arguments: Arguments = service::parse();
    let datasets = arguments.datasets();
    let annotations = arguments.annotations.settings()?;
    let (decoders, common) = (arguments.decoders, arguments.common);
    let workers = ImageWorkers::new(decoders.settings(common.cpu_threads, common.decode_memory.as_u64()));
    let (input, output) = (common.input_prefix.clone(), common.output_prefix.clone());
    service::run(common, |_| {
        let stage = Ingest::new(input, output, datasets, workers).with_annotations(annotations);
        Ok(App { stage: Arc::new(stage), background: None })
    })
    .await
}
