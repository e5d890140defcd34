//! The normalize service.

use std::sync::Arc;

use imaging::Limits;
use normalize::{Arguments, Normalize};
use service::App;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { policy, common } = service::parse();
    let policy = policy.policy()?;
    let (input, output) = (common.input_prefix.clone(), common.output_prefix.clone());
    service::run(common, |_| {
        let stage = Normalize::new(input, output, policy, Limits::default());
        Ok(App { stage: Arc::new(stage), background: None })
    })
    .await
}
