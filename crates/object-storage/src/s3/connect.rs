//! Setting the client up.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_types::service_config::ServiceConfigKey;

use crate::StorageError;

/// One call's tries in all, the first included.
const ATTEMPTS: u32 = 4;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// From the request's last byte to the response's first. Completing a large multipart upload takes long.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A body, in either direction, of which for this long not one byte a second has moved is broken off; one that is only
/// slow goes on. A download is begun again twice, so a server that has gone silent costs it half a minute.
const STALL: Duration = Duration::from_secs(10);

/// S3-compatible servers ignore the region, but requests are signed with one.
const REGION_OF_CUSTOM_ENDPOINTS: &str = "us-east-1";

/// How to reach the store. What is not set comes from the SDK's own sources (`AWS_ENDPOINT_URL`, `AWS_REGION`,
/// profiles, instance metadata, …).
#[derive(Debug, Clone, Default)]
pub struct S3Settings {
    /// The server; AWS when neither this nor the SDK's sources name one.
    pub endpoint: Option<String>,
    /// The region; `us-east-1` when there is an endpoint and no source names a region.
    pub region: Option<String>,
    /// Who we are.
    pub credentials: S3Credentials,
    /// Whether buckets are addressed by path (`http://host/bucket/key`); when `None`, they are where an endpoint is
    /// set, since few S3-compatible servers have a host name per bucket.
    pub path_style: Option<bool>,
}

impl S3Settings {
    /// A server with credentials of its own, whatever the environment says.
    pub fn fixed(endpoint: &str, access_key: &str, secret_key: &str) -> Self {
        let (access_key, secret_key) = (access_key.to_owned(), secret_key.to_owned());
        Self {
            endpoint: Some(endpoint.to_owned()),
            region: Some(REGION_OF_CUSTOM_ENDPOINTS.to_owned()),
            credentials: S3Credentials::Static { access_key, secret_key },
            path_style: Some(true),
        }
    }
}

/// Where credentials come from.
#[derive(Clone, Default)]
pub enum S3Credentials {
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

impl std::fmt::Debug for S3Credentials {
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

pub(super) async fn client(settings: &S3Settings) -> Result<Client, StorageError> {
    client_with_stall(settings, STALL).await
}

pub(super) async fn client_with_stall(
    settings: &S3Settings,
    stall: Duration,
) -> Result<Client, StorageError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(stall).build())
        .timeout_config(
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build(),
        );
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let S3Credentials::Static { access_key, secret_key } = &settings.credentials {
        loader =
            loader.credentials_provider(Credentials::new(access_key, secret_key, None, None, "settings"));
    }
    let sdk = loader.load().await;
    let custom = has_endpoint(&sdk);
    let mut config =
        aws_sdk_s3::config::Builder::from(&sdk).force_path_style(settings.path_style.unwrap_or(custom));
    if sdk.region().is_none() {
        if !custom {
            let message =
                "no AWS region is configured: set AWS_REGION, or AWS_ENDPOINT_URL for another server";
            return Err(StorageError::Unavailable(message.to_owned()));
        }
        config = config.region(Region::from_static(REGION_OF_CUSTOM_ENDPOINTS));
    }
    Ok(Client::from_conf(config.build()))
}

/// Whether any source names an endpoint, `AWS_ENDPOINT_URL_S3` included.
fn has_endpoint(sdk: &SdkConfig) -> bool {
    let key =
        ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let for_s3 = key.ok().and_then(|key| sdk.service_config()?.load_config(key));
    sdk.endpoint_url().is_some() || for_s3.is_some()
}
