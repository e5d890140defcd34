//! The curate service.

use std::sync::Arc;

use curate::{Arguments, Curate};
use service::App;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { common } = service::parse();
    let (input, output) = (common.input_prefix.clone(), common.output_prefix.clone());
    service::run(common, |_| Ok(App { stage: Arc::new(Curate::new(input, output)), background: None })).await
}
