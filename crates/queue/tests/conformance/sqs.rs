//! `SqsQueue` on servers: the suite, and what only this adapter does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use queue::testsuite::{self, Fixture, Fresh};
use queue::{
    Depth, NewQueue, Queue as _, QueueError, Receipt, Redrive, SqsCredentials, SqsQueue, SqsSettings,
};
use testkit::{ElasticMq, Moto};
use uuid::Uuid;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elastic_mq_passes_the_suite() -> anyhow::Result<()> {
    let elastic_mq = ElasticMq::shared()?;
    testsuite::run_all(Arc::new(Server::at(elastic_mq.endpoint()))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moto_passes_the_suite() -> anyhow::Result<()> {
    let moto = Moto::shared()?;
    testsuite::run_all(Arc::new(Server::at(moto.endpoint()))).await
}

#[tokio::test]
async fn missing_queue_is_a_configuration_error() -> anyhow::Result<()> {
    on_every_server(check_missing_queue).await
}

/// As with `QUEUE_URL` in the environment and nothing else.
#[tokio::test]
async fn queue_url_alone_names_the_server() -> anyhow::Result<()> {
    on_every_server(check_queue_url_alone).await
}

#[tokio::test]
async fn queues_for_dead_letters_are_found() -> anyhow::Result<()> {
    on_every_server(check_dead_letter_url).await
}

#[tokio::test]
async fn queues_can_be_created_twice() -> anyhow::Result<()> {
    on_every_server(check_creating_twice).await
}

async fn on_every_server(check: impl AsyncFn(&Server) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let (elastic_mq, moto) = (ElasticMq::shared()?, Moto::shared()?);
    check(&Server::at(elastic_mq.endpoint())).await.context("ElasticMQ")?;
    check(&Server::at(moto.endpoint())).await.context("moto")
}

async fn check_missing_queue(server: &Server) -> anyhow::Result<()> {
    let queue =
        server.create(None).await?.sibling(&format!("{}/123456789012/no-such-queue", server.endpoint))?;
    let (receipts, bodies) = ([Receipt::new("receipt")], ["body".to_owned()]);
    for refused in [
        queue.receive(1, Duration::ZERO, MINUTE).await.err(),
        queue.delete(&receipts).await.err(),
        queue.hide(&receipts, MINUTE).await.err(),
        queue.send(&bodies).await.err(),
        queue.depth().await.err(),
        queue.dead_letter_url().await.err(),
    ] {
        ensure!(matches!(refused, Some(QueueError::Configuration(_))), "{refused:?}");
    }
    Ok(())
}

async fn check_queue_url_alone(server: &Server) -> anyhow::Result<()> {
    let created = server.create(None).await?;
    let credentials =
        SqsCredentials::Static { access_key: "key".to_owned(), secret_key: "secret".to_owned() };
    let url = created.url().to_owned();
    let settings = SqsSettings { queue_url: url, credentials, endpoint: None, region: None };
    let queue = SqsQueue::connect(&settings).await?;
    ensure!(queue.send(&["body".to_owned()]).await? == [Ok(())]);
    let received = created.receive(1, MINUTE, MINUTE).await?.pop().context("a message")?;
    ensure!(received.body == "body" && received.sent_at.is_some(), "{received:?}");
    Ok(())
}

async fn check_dead_letter_url(server: &Server) -> anyhow::Result<()> {
    let dead_letters = server.create(None).await?;
    let queue = server.create(Some(Redrive { to: &dead_letters, max_receive_count: 3 })).await?;
    let url = queue.dead_letter_url().await?.context("the queue has dead letters")?;
    dead_letters.send(&["dead".to_owned()]).await?;
    ensure!(queue.sibling(&url)?.depth().await? == Depth { visible: 1, ..Depth::default() });
    ensure!(dead_letters.dead_letter_url().await?.is_none());
    Ok(())
}

async fn check_creating_twice(server: &Server) -> anyhow::Result<()> {
    let new = NewQueue { visibility: MINUTE, redrive: None };
    let name = fresh_name();
    let first = SqsQueue::create(&server.settings(), &name, new).await?;
    let second = SqsQueue::create(&server.settings(), &name, new).await?;
    ensure!(first.url() == second.url());
    Ok(())
}

/// A server with the SQS API.
struct Server {
    endpoint: String,
}

impl Server {
    fn at(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned() }
    }

    fn settings(&self) -> SqsSettings {
        SqsSettings::fixed(&self.endpoint, "key", "secret", "")
    }

    async fn create(&self, redrive: Option<Redrive<'_>>) -> Result<SqsQueue, QueueError> {
        let new = NewQueue { visibility: 10 * MINUTE, redrive };
        SqsQueue::create(&self.settings(), &fresh_name(), new).await
    }
}

#[async_trait]
impl Fixture for Server {
    async fn fresh(&self, max_receive_count: u32) -> anyhow::Result<Fresh> {
        let dead_letters = self.create(None).await?;
        let queue = self.create(Some(Redrive { to: &dead_letters, max_receive_count })).await?;
        Ok(Fresh { queue: Arc::new(queue), dead_letters: Arc::new(dead_letters) })
    }
}

fn fresh_name() -> String {
    format!("queue-{}", Uuid::new_v4())
}
