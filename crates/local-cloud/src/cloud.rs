//! The running server.

use std::path::PathBuf;
use std::sync::Arc;

use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::Api;
use crate::store::Store;
use crate::{DirectStore, LocalCloudConfig, LocalCloudError, server};

/// A running server. Dropping it stops listening and lets requests under way finish in the background;
/// [`Self::stop`] waits for that.
#[derive(Debug)]
pub struct LocalCloud {
    endpoint: String,
    access_key: String,
    secret_key: String,
    direct: DirectStore,
    stop: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl LocalCloud {
    /// Locks and sweeps the root, opens the buckets and listens on 127.0.0.1 with credentials made for this start.
    pub async fn start(config: LocalCloudConfig) -> Result<Self, LocalCloudError> {
        let port = config.port.unwrap_or(0);
        let root = config.root.clone();
        let opened = tokio::task::spawn_blocking(move || Store::open(&config)).await;
        let panicked =
            |error: tokio::task::JoinError| LocalCloudError::io(&root)(std::io::Error::other(error));
        let store = Arc::new(opened.map_err(panicked)??);
        let listen = |source| LocalCloudError::Listen { port, source };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(listen)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(listen)?);

        let access_key = Uuid::new_v4().simple().to_string();
        let secret_key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let api = Api::new(store);
        let direct = api.direct();
        let mut builder = S3ServiceBuilder::new(api);
        builder.set_auth(SimpleAuth::from_single(access_key.as_str(), secret_key.as_str()));
        let stop = CancellationToken::new();
        let server = tokio::spawn(server::serve(listener, builder.build(), stop.clone()));
        Ok(Self { endpoint, access_key, secret_key, direct, stop, server: Some(server) })
    }

    /// Where it listens: `http://127.0.0.1:<port>`. Buckets are addressed by path.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The access key of this start.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The secret key of this start.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The buckets for this process.
    pub fn direct(&self) -> &DirectStore {
        &self.direct
    }

    /// The file of an object, for people and tools on this machine; `None` when there is no such object. The file
    /// is to be read only: changing it in place changes the object under its readers.
    pub fn path_of(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        self.direct.path_of(bucket, key)
    }

    /// Stops listening and waits (10 seconds at most) until the requests under way are done. After that the root
    /// may be served again.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take()
            && let Err(error) = server.await
        {
            tracing::warn!(error = %error, "local cloud ended badly");
        }
    }
}

impl Drop for LocalCloud {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
