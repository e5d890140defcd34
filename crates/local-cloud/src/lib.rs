//! An embedded S3 server over a folder (L4): the object store of a laptop, of the demo and of tests.
//!
//! [`LocalCloud`] listens on 127.0.0.1 and speaks enough S3 for `object-storage` and the usual tools: buckets,
//! conditional and multipart writes, conditional and ranged reads, listings. Objects with ordinary keys are plain
//! files below the root, so people can open them; [`Mount`] serves a folder of the user's in place, read-only.
//! The process that serves them takes [`DirectStore`], and spares itself the way over HTTP.
//! How keys become paths, what an ETag is and what survives a crash: docs/adr/0002.
//!
//! ```no_run
//! # async fn example() -> Result<(), local_cloud::LocalCloudError> {
//! use local_cloud::{LocalCloud, LocalCloudConfig};
//!
//! let config = LocalCloudConfig { buckets: vec!["bronze".into()], ..LocalCloudConfig::new("/tmp/cloud") };
//! let cloud = LocalCloud::start(config).await?;
//! println!("{}", cloud.endpoint());
//! cloud.stop().await;
//! # Ok(())
//! # }
//! ```

mod api;
mod cloud;
mod config;
mod direct;
mod error;
mod keys;
mod server;
mod store;

pub use cloud::LocalCloud;
pub use config::{LocalCloudConfig, Mount};
pub use direct::DirectStore;
pub use error::LocalCloudError;
