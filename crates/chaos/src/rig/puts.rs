//! Putting objects, and telling of them.

use std::time::Duration;

use object_storage::{BlobStore as _, Put, PutOptions};
use queue::{MAX_BATCH, Queue as _};
use serde_json::{Value, json};
use types::Sha256;

use crate::{Class, Entry, Rig};

/// A put that nobody was told of yet.
#[derive(Debug, Clone)]
pub struct Told {
    /// The whole object key.
    pub key: String,
    /// Its ETag.
    pub etag: String,
    /// Its size.
    pub bytes: usize,
}

impl Rig {
    /// Puts one object and answers what to tell of it; the ledger comes first.
    ///
    /// # Errors
    /// The ledger or the S3 server failed.
    pub async fn put(&mut self, key: &str, class: Class, content: Vec<u8>) -> anyhow::Result<Told> {
        self.ledger.write(Entry { key: key.to_owned(), class, sha256: Sha256::of(&content) })?;
        let (uri, bytes) = (self.inbox(key), content.len());
        match self.blobs.write(content.into(), &uri, &PutOptions::default()).await? {
            Put::Written(etag) => Ok(Told { key: uri.key().to_owned(), etag, bytes }),
            Put::AlreadyThere => anyhow::bail!("an unconditional put found an object"),
        }
    }

    /// Puts small pictures, numbered from `first`, each different, one in 25 of them broken. Keys have spaces and other
    /// signs that senders encode.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub async fn put_pictures(&mut self, first: u64, count: u64) -> anyhow::Result<Vec<Told>> {
        let mut told = Vec::new();
        for number in first..first + count {
            let seed = self.seed.wrapping_mul(1_000_003) + number;
            let mut content = testkit::photo(seed, 48, 32);
            let class = if number % 25 == 24 { Class::Corrupt } else { Class::Picture };
            if class == Class::Corrupt {
                content.truncate(content.len() / 2);
            }
            told.push(self.put(&format!("folder {}/{number:05}+ä.jpg", number % 7), class, content).await?);
        }
        Ok(told)
    }

    /// Puts pictures and sends one message for each.
    ///
    /// # Errors
    /// A server failed.
    pub async fn put_and_tell(&mut self, first: u64, count: u64) -> anyhow::Result<()> {
        let told = self.put_pictures(first, count).await?;
        let messages: Vec<_> = told.iter().map(|one| message(std::slice::from_ref(one))).collect();
        self.send(&messages).await
    }

    /// Sends messages to the queue, around the proxy.
    ///
    /// # Errors
    /// The queue did not take one.
    pub async fn send(&self, bodies: &[String]) -> anyhow::Result<()> {
        for batch in bodies.chunks(MAX_BATCH) {
            for entry in self.queue.send(batch).await? {
                entry?;
            }
        }
        Ok(())
    }

    /// A picture that comes after the faults: it is done soon, or the services are stuck.
    ///
    /// # Errors
    /// It is not done within half a minute.
    pub async fn probe(&mut self) -> anyhow::Result<()> {
        let told = self.put("probe.jpg", Class::Picture, testkit::photo(self.seed ^ 0xdead, 40, 40)).await?;
        self.send(&[message(std::slice::from_ref(&told))]).await?;
        self.until_done(&[told], Duration::from_secs(30)).await
    }
}

/// A message as Amazon S3 sends it (eventVersion 2.1), with one record for each object.
pub(crate) fn message(objects: &[Told]) -> String {
    let records: Vec<_> = objects.iter().map(|object| record(object, "ObjectCreated:Put")).collect();
    json!({ "Records": records }).to_string()
}

/// One record. docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
pub(crate) fn record(object: &Told, name: &str) -> Value {
    json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-24T00:00:00.000Z",
        "eventName": name,
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": { "name": "inbox", "arn": "arn:aws:s3:::inbox" },
            "object": { "key": form_encoded(&object.key), "size": object.bytes, "eTag": object.etag },
        },
    })
}

/// application/x-www-form-urlencoded but for `/`, as Amazon S3 encodes keys.
fn form_encoded(key: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'*' | b'/' => {
            char::from(byte).to_string()
        }
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    key.bytes().map(encode).collect()
}
