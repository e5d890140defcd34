//! The shard service: workers that build plans, and the planner beside them.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use service::{App, Background};
use shard::{Arguments, Planner, Shard};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { plan, settle, plan_interval, common } = service::parse();
    let (input, output) = (common.input_prefix.clone(), common.output_prefix.clone());
    service::run(common, |wiring| {
        let (store, blobs) = (Arc::clone(&wiring.store), Arc::clone(&wiring.blobs));
        let planner = Planner::new(store, blobs, input.clone(), plan.settings(settle));
        let background: Background =
            Box::new(move |stop| keep_planning(planner, plan_interval, stop).boxed());
        Ok(App { stage: Arc::new(Shard::new(input, output)), background: Some(background) })
    })
    .await
}

async fn keep_planning(planner: Planner, interval: Duration, stop: CancellationToken) {
    let plan = async {
        loop {
            match planner.plan_all().await {
                Ok(planned) => {
                    for (dataset, version) in planned {
                        tracing::info!(%dataset, %version, "planned");
                    }
                }
                Err(error) => tracing::warn!(%error, "planning failed, trying again"),
            }
            tokio::time::sleep(interval).await;
        }
    };
    stop.run_until_cancelled(plan).await;
}
