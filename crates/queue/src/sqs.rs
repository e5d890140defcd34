//! The adapter for SQS and everything that speaks it, over aws-sdk-sqs.

mod batch;
mod connect;
mod create;
mod errors;
mod url;

use std::collections::HashMap;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message as SdkMessage, MessageSystemAttributeName, QueueAttributeName};

pub use connect::{SqsCredentials, SqsSettings};
pub use create::{NewQueue, Redrive};

use crate::limits::{check_batch, check_body, visibility_seconds, wait_seconds};
use crate::{Depth, Entry, Message, Queue, QueueError, Receipt};
use batch::Action;
use errors::classify;
use url::QueueUrl;

/// Every call but `receive`, with its retries.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// How long `receive` may last after its wait.
const RECEIVE_GRACE: Duration = Duration::from_secs(15);

/// A queue of AWS SQS, or of a server with its JSON protocol.
///
/// A call is tried three times with the SDK's standard back-off, each time for 10 seconds; `receive` once.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    url: QueueUrl,
}

impl SqsQueue {
    /// Sets the client up. Talks to no queue: [`depth`](Queue::depth) does.
    ///
    /// Fails with `Configuration` when the URL names no queue, or nothing says the region.
    pub async fn connect(settings: &SqsSettings) -> Result<Self, QueueError> {
        let url = QueueUrl::parse(&settings.queue_url)?;
        Ok(Self { client: connect::client(settings, Some(&url)).await?, url })
    }

    /// The queue's URL.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    async fn batch(&self, action: Action, entries: &[&str]) -> Result<Vec<Entry>, QueueError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        within(CALL_LIMIT, batch::run(&self.client, self.url(), action, entries)).await
    }

    async fn attributes(
        &self,
        names: &[QueueAttributeName],
    ) -> Result<HashMap<QueueAttributeName, String>, QueueError> {
        let call = self.client.get_queue_attributes().queue_url(self.url());
        let call = call.set_attribute_names(Some(names.to_vec()));
        let answer = within(CALL_LIMIT, async { call.send().await.map_err(classify) }).await?;
        Ok(answer.attributes.unwrap_or_default())
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn receive(
        &self,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Message>, QueueError> {
        check_batch(max)?;
        if max == 0 {
            return Ok(Vec::new());
        }
        let wait = wait_seconds(wait);
        let limit = Duration::from_secs(wait.into()) + RECEIVE_GRACE;
        let call = self
            .client
            .receive_message()
            .queue_url(self.url())
            .max_number_of_messages(i32::try_from(max).expect("at most MAX_BATCH"))
            .wait_time_seconds(wait.into())
            .visibility_timeout(visibility_seconds(visibility).into())
            // They come only to those who ask.
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .customize()
            .config_override(connect::one_long_try(limit));
        let received = within(limit, async { call.send().await.map_err(classify) }).await?;
        Ok(received.messages.unwrap_or_default().into_iter().filter_map(message).collect())
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<Vec<Entry>, QueueError> {
        check_batch(receipts.len())?;
        self.batch(Action::Delete, &exposed(receipts)).await
    }

    async fn hide(&self, receipts: &[Receipt], visibility: Duration) -> Result<Vec<Entry>, QueueError> {
        check_batch(receipts.len())?;
        self.batch(Action::Hide { seconds: visibility_seconds(visibility) }, &exposed(receipts)).await
    }

    async fn send(&self, bodies: &[String]) -> Result<Vec<Entry>, QueueError> {
        check_batch(bodies.len())?;
        let mut entries: Vec<Entry> = bodies.iter().map(|body| check_body(body)).collect();
        let good = bodies.iter().zip(&entries).filter(|(_, checked)| checked.is_ok());
        let good: Vec<&str> = good.map(|(body, _)| body.as_str()).collect();
        let sent = self.batch(Action::Send, &good).await?;
        for (entry, sent) in entries.iter_mut().filter(|entry| entry.is_ok()).zip(sent) {
            *entry = sent;
        }
        Ok(entries)
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        use QueueAttributeName as Name;
        let names = [
            Name::ApproximateNumberOfMessages,
            Name::ApproximateNumberOfMessagesNotVisible,
            Name::ApproximateNumberOfMessagesDelayed,
        ];
        let attributes = self.attributes(&names).await?;
        let [visible, in_flight, delayed] = names.map(|name| {
            let count = attributes.get(&name).and_then(|count| count.parse().ok());
            count.ok_or_else(|| QueueError::Unavailable(format!("the server does not say {name}")))
        });
        Ok(Depth { visible: visible?, in_flight: in_flight?, delayed: delayed? })
    }
}

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, QueueError>>,
) -> Result<T, QueueError> {
    let late = |_| Err(QueueError::Unavailable(format!("no answer within {limit:?}")));
    tokio::time::timeout(limit, call).await.unwrap_or_else(late)
}

fn exposed(receipts: &[Receipt]) -> Vec<&str> {
    receipts.iter().map(Receipt::expose).collect()
}

fn message(sdk: SdkMessage) -> Option<Message> {
    let Some(receipt) = sdk.receipt_handle else {
        // Nothing can be done with it, and it comes back by itself.
        tracing::warn!(message.id = sdk.message_id, "the queue sent a message without a receipt handle");
        return None;
    };
    let attributes = sdk.attributes.unwrap_or_default();
    let receive_count = number(&attributes, &MessageSystemAttributeName::ApproximateReceiveCount);
    let sent_at = number(&attributes, &MessageSystemAttributeName::SentTimestamp).map(Duration::from_millis);
    Some(Message {
        id: sdk.message_id.unwrap_or_default(),
        body: sdk.body.unwrap_or_default(),
        receipt: Receipt::new(receipt),
        receive_count: receive_count.unwrap_or(1).max(1),
        sent_at: sent_at.and_then(|since_1970| SystemTime::UNIX_EPOCH.checked_add(since_1970)),
    })
}

fn number<T: FromStr>(
    attributes: &HashMap<MessageSystemAttributeName, String>,
    name: &MessageSystemAttributeName,
) -> Option<T> {
    attributes.get(name)?.parse().ok()
}
