//! Making queues, and finding the one behind another.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::errors::classify;
use super::url::QueueUrl;
use super::{CALL_LIMIT, SqsQueue, SqsSettings, connect, within};
use crate::QueueError;
use crate::limits::visibility_seconds;

/// What a new queue is like.
#[derive(Debug, Clone, Copy)]
pub struct NewQueue<'a> {
    /// How long messages are hidden by those who do not say it.
    pub visibility: Duration,
    /// Where messages go that were received too often; nowhere if `None`.
    pub redrive: Option<Redrive<'a>>,
}

/// What happens to messages that nobody deletes.
#[derive(Debug, Clone, Copy)]
pub struct Redrive<'a> {
    /// The queue for dead letters, on the same server.
    pub to: &'a SqsQueue,
    /// A message that was received this often goes there instead of being delivered once more.
    pub max_receive_count: u32,
}

impl SqsQueue {
    /// Creates a queue; `Ok` when there is one of this name and these attributes. For tests and local set-ups:
    /// production queues come from infrastructure code.
    ///
    /// The URL in the settings is not used and may be empty, so the server has to be named by the endpoint.
    pub async fn create(settings: &SqsSettings, name: &str, new: NewQueue<'_>) -> Result<Self, QueueError> {
        let client = connect::client(settings, None).await?;
        let visibility = visibility_seconds(new.visibility).to_string();
        let mut call = client
            .create_queue()
            .queue_name(name)
            .attributes(QueueAttributeName::VisibilityTimeout, visibility);
        if let Some(redrive) = new.redrive {
            let policy = json!({
                "deadLetterTargetArn": redrive.to.required_attribute(QueueAttributeName::QueueArn).await?,
                "maxReceiveCount": redrive.max_receive_count,
            });
            call = call.attributes(QueueAttributeName::RedrivePolicy, policy.to_string());
        }
        let created = within(CALL_LIMIT, async { call.send().await.map_err(classify) }).await?;
        let url = created.queue_url().unwrap_or_default();
        Ok(Self { client: client.clone(), url: QueueUrl::parse(url)? })
    }

    /// The URL of the queue for dead letters behind this one; none if it has none. The server is asked, so the URL
    /// is as the server knows itself: [`sibling`](Self::sibling) reaches it even if that name is of no use here.
    pub async fn dead_letter_url(&self) -> Result<Option<String>, QueueError> {
        let Some(policy) = self.attribute(QueueAttributeName::RedrivePolicy).await? else { return Ok(None) };
        let Some(arn) = dead_letter_arn(&policy)? else { return Ok(None) };
        // arn:<partition>:sqs:<region>:<account>:<name>
        let parts: Vec<_> = arn.split(':').collect();
        let [_, _, "sqs", _, account, name] = parts.as_slice() else {
            return Err(QueueError::Configuration(format!("{arn:?} is not the ARN of a queue")));
        };
        let call = self.client.get_queue_url().queue_name(*name).queue_owner_aws_account_id(*account);
        let found = within(CALL_LIMIT, async { call.send().await.map_err(classify) }).await?;
        Ok(found.queue_url)
    }

    /// Another queue of the same server, over the same client.
    pub fn sibling(&self, queue_url: &str) -> Result<Self, QueueError> {
        Ok(Self { client: self.client.clone(), url: QueueUrl::parse(queue_url)? })
    }

    async fn required_attribute(&self, name: QueueAttributeName) -> Result<String, QueueError> {
        let missing = QueueError::Unavailable(format!("the server does not say the queue's {name}"));
        self.attribute(name).await?.ok_or(missing)
    }

    async fn attribute(&self, name: QueueAttributeName) -> Result<Option<String>, QueueError> {
        let mut attributes = self.attributes(std::slice::from_ref(&name)).await?;
        Ok(attributes.remove(&name).filter(|value| !value.is_empty()))
    }
}

/// From the JSON of the attribute `RedrivePolicy`; a policy without a target is none.
fn dead_letter_arn(policy: &str) -> Result<Option<String>, QueueError> {
    let policy: Value = serde_json::from_str(policy).map_err(|error| {
        QueueError::Configuration(format!("the queue's redrive policy is no JSON: {error}"))
    })?;
    Ok(policy.get("deadLetterTargetArn").and_then(Value::as_str).map(ToOwned::to_owned))
}
