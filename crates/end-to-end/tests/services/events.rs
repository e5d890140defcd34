//! Buckets that tell a queue of their objects.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use queue::{NewQueue, SqsQueue, SqsSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use types::BucketName;

/// moto's own account.
const ACCOUNT: &str = "123456789012";

/// A queue that moto tells of every object that is created in the bucket.
pub(crate) async fn queue_of(endpoint: &str, bucket: &BucketName) -> anyhow::Result<SqsQueue> {
    let settings = SqsSettings::fixed(endpoint, "test", "test", "");
    let new = NewQueue { visibility: Duration::from_secs(30), redrive: None };
    let queue = SqsQueue::create(&settings, bucket.as_str(), new).await?;
    let configuration = format!(
        "<NotificationConfiguration><QueueConfiguration><Id>all</Id>\
         <Queue>arn:aws:sqs:us-east-1:{ACCOUNT}:{bucket}</Queue><Event>s3:ObjectCreated:*</Event>\
         </QueueConfiguration></NotificationConfiguration>"
    );
    put(endpoint, &format!("/{bucket}?notification"), &configuration).await?;
    Ok(queue)
}

/// Unsigned: moto takes it.
async fn put(endpoint: &str, path: &str, body: &str) -> anyhow::Result<()> {
    let host = endpoint.strip_prefix("http://").context("plain HTTP")?;
    let mut stream = TcpStream::connect(host).await?;
    let length = body.len();
    let request = format!(
        "PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "moto answers {answer}");
    Ok(())
}
