//! A gateway in this process, its queue, and bodies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use event_gateway::{Gateway, Limits, Settings, Stop, Tokens};
use queue::{Depth, Entry, MemoryQueue, Message, Queue, QueueError, Receipt};
use serde_json::{Value, json};
use testkit::{Scrape, until};
use tokio::task::JoinHandle;

use crate::client::{self, TOKEN};

/// A queue in memory that can be away, and can refuse.
#[derive(Debug, Default)]
pub(crate) struct Fragile {
    pub(crate) away: AtomicBool,
    /// Events are refused; anything else is taken.
    pub(crate) refuses: AtomicBool,
    memory: MemoryQueue,
}

impl Fragile {
    fn fail_if_away(&self) -> Result<(), QueueError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(QueueError::Unavailable("away".to_owned()));
        }
        Ok(())
    }

    /// All that lies on it.
    pub(crate) async fn bodies(&self) -> anyhow::Result<Vec<String>> {
        let mut bodies = Vec::new();
        loop {
            let received = self.memory.receive(10, Duration::ZERO, Duration::from_secs(600)).await?;
            if received.is_empty() {
                return Ok(bodies);
            }
            bodies.extend(received.into_iter().map(|message| message.body));
        }
    }

    /// The keys of all events on it, and how often each is there.
    pub(crate) async fn keys(&self) -> anyhow::Result<BTreeMap<String, usize>> {
        let mut keys = BTreeMap::new();
        for body in self.bodies().await? {
            for event in events(&body)? {
                *keys.entry(event.key).or_default() += 1;
            }
        }
        Ok(keys)
    }
}

#[async_trait]
impl Queue for Fragile {
    async fn receive(
        &self,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Message>, QueueError> {
        self.memory.receive(max, wait, visibility).await
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<Vec<Entry>, QueueError> {
        self.memory.delete(receipts).await
    }

    async fn hide(&self, receipts: &[Receipt], visibility: Duration) -> Result<Vec<Entry>, QueueError> {
        self.memory.hide(receipts, visibility).await
    }

    async fn send(&self, bodies: &[String]) -> Result<Vec<Entry>, QueueError> {
        self.fail_if_away()?;
        if self.refuses.load(Ordering::SeqCst) && bodies.iter().any(|body| events(body).is_ok()) {
            return Ok(bodies
                .iter()
                .map(|_| Err(QueueError::Invalid("too long for me".to_owned())))
                .collect());
        }
        self.memory.send(bodies).await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.fail_if_away()?;
        self.memory.depth().await
    }
}

/// A running gateway, ended when dropped.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) queue: Arc<Fragile>,
    pub(crate) stop: Stop,
    served: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Rig {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::with(Limits::default(), Duration::from_secs(25)).await
    }

    pub(crate) async fn with(limits: Limits, hold: Duration) -> anyhow::Result<Self> {
        let any = "127.0.0.1:0".parse()?;
        let tokens = Tokens::new(&TOKEN.parse()?, Some(&"the-token-of-tomorrow".parse()?))?;
        let (queue, stop) = (Arc::new(Fragile::default()), Stop::default());
        let settings = Settings { listen: any, admin: any, tokens, hold, limits };
        let gateway = Gateway::bind(settings, Arc::<Fragile>::clone(&queue)).await?;
        let (address, admin) = (gateway.address()?, gateway.admin_address()?);
        let served = Some(tokio::spawn(gateway.serve(stop.clone())));
        Ok(Self { address, admin, queue, stop, served })
    }

    pub(crate) fn queue_is_away(&self, away: bool) {
        self.queue.away.store(away, Ordering::SeqCst);
    }

    pub(crate) async fn scrape(&self) -> anyhow::Result<Scrape> {
        Scrape::parse(&client::get(self.admin, "/metrics").await?.body)
    }

    pub(crate) async fn outcomes(&self, outcome: &str) -> anyhow::Result<u64> {
        let value = self.scrape().await?.value("imageml_gateway_requests_total", &[("outcome", outcome)]);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        Ok(value as u64)
    }

    /// Waits until a gauge has this value.
    pub(crate) async fn gauge_is(&self, name: &str, value: f64) -> anyhow::Result<()> {
        let what = format!("{name} is {value}");
        until(&what, Duration::from_secs(15), async || {
            Ok((self.scrape().await?.value(name, &[]) == value).then_some(()))
        })
        .await
    }

    /// Waits for the end of the gateway.
    pub(crate) async fn ended(mut self) -> anyhow::Result<()> {
        let served = self.served.take().context("it runs")?;
        tokio::time::timeout(Duration::from_secs(15), served).await.context("it does not end")??
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.intake.cancel();
        self.stop.work.cancel();
    }
}

pub(crate) fn events(body: &str) -> anyhow::Result<Vec<s3_events::ObjectEvent>> {
    match s3_events::parse(body)? {
        s3_events::Notification::Objects(events) => Ok(events),
        s3_events::Notification::Test => anyhow::bail!("a test event"),
    }
}

/// A record as RustFS sends it, with what must not get any further.
pub(crate) fn record(key: &str) -> Value {
    json!({
        "eventVersion": "2.1", "eventSource": "rustfs:s3", "awsRegion": "", "eventName": "s3:ObjectCreated:Put",
        "eventTime": "2026-11-23T08:12:11.047Z", "userIdentity": {"principalId": "canary-person"},
        "requestParameters": {"authorization": "AWS4-HMAC-SHA256 canary-signature", "principalId": "canary-person"},
        "s3": {"bucket": {"name": "landing"}, "object": {"key": key, "size": 1000, "eTag": "468f6c1cff2cdf90",
            "sequencer": "18EA9E5EB3E97D5E"}},
    })
}

/// A body of one event.
pub(crate) fn event(key: &str) -> String {
    json!({"EventName": "s3:ObjectCreated:Put", "Key": format!("landing/{key}"), "Records": [record(key)]})
        .to_string()
}
