//! Setting the client up.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_types::service_config::ServiceConfigKey;

use super::url::QueueUrl;
use crate::QueueError;

/// One call's tries in all, the first included.
const ATTEMPTS: u32 = 3;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// One try, from its start to the whole answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// SQS-compatible servers ignore the region, but requests are signed with one.
const REGION_OF_CUSTOM_ENDPOINTS: &str = "us-east-1";

/// Which queue, and how to reach it. What is not set comes from the SDK's own sources (`AWS_ENDPOINT_URL_SQS`,
/// `AWS_ENDPOINT_URL`, `AWS_REGION`, profiles, instance metadata, …), and then from the queue's URL.
#[derive(Debug, Clone, Default)]
pub struct SqsSettings {
    /// The queue: `https://sqs.<region>.amazonaws.com/<account>/<name>`, or the same on another server.
    pub queue_url: String,
    /// The server. When neither this nor the SDK's sources name one, it is AWS if the URL's host is below
    /// `amazonaws.com` (or `.cn`), and the URL's host otherwise.
    pub endpoint: Option<String>,
    /// The region. When neither this nor the SDK's sources name one, it is the one in the URL's host
    /// (`sqs.<region>.amazonaws.com`), and `us-east-1` for other servers.
    pub region: Option<String>,
    /// Who we are.
    pub credentials: SqsCredentials,
}

impl SqsSettings {
    /// A server with credentials of its own, whatever the environment says.
    pub fn fixed(endpoint: &str, access_key: &str, secret_key: &str, queue_url: &str) -> Self {
        let (access_key, secret_key) = (access_key.to_owned(), secret_key.to_owned());
        Self {
            queue_url: queue_url.to_owned(),
            endpoint: Some(endpoint.to_owned()),
            region: Some(REGION_OF_CUSTOM_ENDPOINTS.to_owned()),
            credentials: SqsCredentials::Static { access_key, secret_key },
        }
    }
}

/// Where credentials come from.
#[derive(Clone, Default)]
pub enum SqsCredentials {
    /// The SDK's chain.
    #[default]
    SdkDefault,
    /// These.
    Static {
        /// The access key id.
        access_key: String,
        /// The secret access key.
        secret_key: String,
    },
}

impl std::fmt::Debug for SqsCredentials {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SdkDefault => f.write_str("SdkDefault"),
            Self::Static { access_key, .. } => {
                f.debug_struct("Static").field("access_key", access_key).finish_non_exhaustive()
            }
        }
    }
}

/// A client for the server of this queue; without a queue, for the server that the settings or the SDK's sources name.
pub(super) async fn client(settings: &SqsSettings, queue: Option<&QueueUrl>) -> Result<Client, QueueError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(ATTEMPT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        )
        // Every try has its end, and a server that holds a long poll is no stalled one.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let SqsCredentials::Static { access_key, secret_key } = &settings.credentials {
        loader =
            loader.credentials_provider(Credentials::new(access_key, secret_key, None, None, "settings"));
    }
    let sdk = loader.load().await;
    let mut config = Builder::from(&sdk);
    let mut custom = has_endpoint(&sdk);
    if let Some(queue) = queue.filter(|queue| !custom && !queue.is_aws()) {
        config = config.endpoint_url(queue.origin());
        custom = true;
    }
    if sdk.region().is_none() {
        let region = queue.and_then(QueueUrl::region).or(custom.then_some(REGION_OF_CUSTOM_ENDPOINTS));
        let Some(region) = region else {
            let message =
                "no AWS region is configured: set AWS_REGION, or AWS_ENDPOINT_URL for another server";
            return Err(QueueError::Configuration(message.to_owned()));
        };
        config = config.region(Region::new(region.to_owned()));
    }
    Ok(Client::from_conf(config.build()))
}

/// What `receive` does otherwise than the other calls: a try may last as long as the server waits, and it is the only
/// one. The answer to a receive that is repeated may have hidden messages that nobody holds.
pub(super) fn one_long_try(limit: Duration) -> Builder {
    Builder::new()
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().read_timeout(limit).operation_attempt_timeout(limit).build())
}

/// Whether any source names an endpoint, `AWS_ENDPOINT_URL_SQS` included.
fn has_endpoint(sdk: &SdkConfig) -> bool {
    let key =
        ServiceConfigKey::builder().service_id("SQS").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let for_sqs = key.ok().and_then(|key| sdk.service_config()?.load_config(key));
    sdk.endpoint_url().is_some() || for_sqs.is_some()
}
