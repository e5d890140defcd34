//! The normalize service.

use std::sync::Arc;

use image_workers::{ImageWorkers, serve_if_asked};
use normalize::{Arguments, Normalize};
use service::App;

fn main() -> anyhow::Result<()> {
    match serve_if_asked() {
        Some(served) => Ok(served?),
        None => serve(),
    }
}

#[tokio::main]
async fn serve() -> anyhow::Result<()> {
    let Arguments { policy, decoders, common } = service::parse();
    let policy = policy.policy()?;
    let workers = ImageWorkers::new(decoders.settings(common.cpu_threads, common.decode_memory.as_u64()));
    let (input, output) = (common.input_prefix.clone(), common.output_prefix.clone());
    service::run(common, |_| {
        let stage = Normalize::new(input, output, policy, workers);
        Ok(App { stage: Arc::new(stage), background: None })
    })
    .await
}
