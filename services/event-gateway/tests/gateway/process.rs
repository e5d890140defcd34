//! The program, with queues of servers that others wrote.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use queue::{NewQueue, Queue as _, SqsQueue, SqsSettings};
use testkit::{ElasticMq, Moto, Service, until};
use tokio::task::JoinSet;

use crate::client::{TOKEN, ask, expect, get, post, request};
use crate::rig::{event, events};

const PROGRAM: &str = env!("CARGO_BIN_EXE_imageml-event-gateway");
const MINUTE: Duration = Duration::from_secs(60);

/// What must be seen nowhere: the token, and what bodies say of requests.
const CANARY: &str = "canary";

fn start(queue_url: &str, configure: impl FnOnce(&mut Command)) -> anyhow::Result<Service> {
    Service::start(Path::new(PROGRAM), |command| {
        command
            .env("GATEWAY_ADDRESS", "127.0.0.1:0")
            .env("GATEWAY_TOKEN", TOKEN)
            .env("QUEUE_URL", queue_url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        configure(command);
    })
}

async fn public(service: &Service) -> anyhow::Result<SocketAddr> {
    until("webhooks are taken", MINUTE, async || {
        let log = service.log();
        Ok(log.iter().find_map(|line| line["fields"]["webhook.address"].as_str()?.parse().ok()))
    })
    .await
    .with_context(|| service.log_text())
}

async fn queue_at(endpoint: &str) -> anyhow::Result<SqsQueue> {
    let settings = SqsSettings::fixed(endpoint, "test", "test", "");
    let name = format!("gateway-{}", uuid::Uuid::new_v4().simple());
    Ok(SqsQueue::create(&settings, &name, NewQueue { visibility: MINUTE, redrive: None }).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_reach_the_queue_of_moto() -> anyhow::Result<()> {
    let moto = Moto::shared()?;
    events_reach(moto.endpoint()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_reach_the_queue_of_elastic_mq() -> anyhow::Result<()> {
    let elastic_mq = ElasticMq::shared()?;
    events_reach(elastic_mq.endpoint()).await
}

/// Also S-48: with every log line there is, and after every kind of error, nobody says a secret.
async fn events_reach(endpoint: &str) -> anyhow::Result<()> {
    let queue = queue_at(endpoint).await?;
    let mut gateway = start(queue.url(), |command| {
        command.env("IMAGEML_LOG", "trace").env("GATEWAY_TOKEN_NEXT", "");
    })?;
    gateway.ready().await?;
    let address = public(&gateway).await?;
    let mut answers = vec![
        post(address, event("a b+é.jpg".replace(' ', "+").as_str())).await?,
        post(address, event("second")).await?,
        post(address, event("second")).await?,
        post(address, br#"{"requestParameters": {"authorization": "canary"}, "Records": 7}"#).await?,
        ask(address, &request("POST /webhook", &["Authorization: Bearer canary-of-a-stranger"], b"{}"))
            .await?,
        ask(address, &request("POST /canary?token=canary", &[], b"{}")).await?,
        get(gateway.admin().context("it listens")?, "/readyz").await?,
    ];
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 401, 404, 200]);
    answers.push(get(gateway.admin().context("it listens")?, "/metrics").await?);

    let mut bodies = Vec::new();
    while bodies.len() < 3 {
        let received = queue.receive(10, Duration::from_secs(5), MINUTE).await?;
        ensure!(!received.is_empty(), "only {bodies:?}");
        bodies.extend(received.into_iter().map(|message| message.body));
    }
    let mut keys: Vec<_> =
        bodies.iter().filter_map(|body| events(body).ok()).flatten().map(|event| event.key).collect();
    keys.sort();
    assert_eq!((keys, bodies.len()), (vec!["a b é.jpg".to_owned(), "second".to_owned()], 3));

    gateway.terminate()?;
    let status = gateway.exit(Duration::from_secs(20)).await?;
    ensure!(status.success(), "{status}\n{}", gateway.log_text());
    let said = format!("{answers:?}{bodies:?}{}", gateway.log_text());
    ensure!(!said.contains(CANARY), "{said}");
    Ok(())
}

#[tokio::test]
async fn unusable_tokens_end_the_program_and_are_not_shown() -> anyhow::Result<()> {
    for bad in ["canary-short", "canary with spaces in it", "canary-and-an-end-of-line\n"] {
        let mut gateway = start("http://127.0.0.1:9/0/queue", |command| {
            command.env("GATEWAY_TOKEN", bad);
        })?;
        let status = gateway.exit(MINUTE).await?;
        // The last lines may be read after the end.
        let text = until("it says why", MINUTE, async || {
            let text = gateway.log_text();
            Ok(text.contains("GATEWAY_TOKEN").then_some(text))
        })
        .await?;
        ensure!(!status.success() && !text.contains(CANARY), "{status} {text}");
    }
    Ok(())
}

#[tokio::test]
async fn sigterm_gives_held_requests_back_after_the_grace_period() -> anyhow::Result<()> {
    // The port of discard: nobody listens.
    let mut gateway = start("http://127.0.0.1:9/0/queue", |command| {
        command.env("SHUTDOWN_GRACE", "1s");
    })?;
    let address = public(&gateway).await?;
    let held = tokio::spawn(post(address, event("a")));
    until("it is held", MINUTE, async || {
        let in_flight = gateway.metrics().await?.value("imageml_gateway_in_flight", &[]);
        Ok((in_flight == 1.0).then_some(()))
    })
    .await?;
    expect(503, &get(gateway.admin().context("it listens")?, "/readyz").await?)?;
    expect(200, &get(address, "/healthz").await?)?;
    gateway.terminate()?;
    expect(503, &held.await??)?;
    let status = gateway.exit(Duration::from_secs(20)).await?;
    ensure!(status.success(), "{status}\n{}", gateway.log_text());
    Ok(())
}

/// S-36, the other half: bodies of 100 KB, 40 senders that do not wait for answers, no queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hot_looping_senders_meet_bounded_memory() -> anyhow::Result<()> {
    const LIMIT: u64 = 256 << 20;
    let mut gateway = start("http://127.0.0.1:9/0/queue", |_| {})?;
    let address = public(&gateway).await?;
    let mut senders = JoinSet::new();
    for sender in 0..40 {
        senders.spawn(async move {
            for n in 0_u64.. {
                let body = event(&format!("{sender}-{n}-{}", "k".repeat(100_000)));
                tokio::time::timeout(Duration::from_millis(100), post(address, body)).await.ok();
            }
        });
    }
    // More than 100 MB were sent: far more than may be held.
    until("they were shed", MINUTE, async || {
        let scrape = gateway.metrics().await?;
        let of = |outcome| scrape.value("imageml_gateway_requests_total", &[("outcome", outcome)]);
        Ok((of("overloaded") > 500.0 && of("overloaded") + of("aborted") > 1_000.0).then_some(()))
    })
    .await?;
    let in_flight = gateway.metrics().await?.value("imageml_gateway_in_flight", &[]);
    ensure!((1.0..=256.0).contains(&in_flight), "{in_flight}");
    let peak = gateway.peak_memory().context("it runs")?;
    ensure!(peak < LIMIT, "{} MiB", peak >> 20);
    senders.shutdown().await;
    expect(200, &get(address, "/healthz").await?)?;
    ensure!(gateway.complaints().len() < 20, "the log is not flooded: {:#?}", gateway.complaints());
    Ok(())
}
