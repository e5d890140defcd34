//! The event gateway.

use event_gateway::Arguments;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Arguments = service::parse();
    event_gateway::run(arguments).await
}
