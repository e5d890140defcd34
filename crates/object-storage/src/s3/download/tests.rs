//! Bodies that stop coming, and bodies that come slowly.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use types::ObjectVersion;

use super::super::S3Settings;
use super::super::connect::client_with_stall;
use super::{BODY_ATTEMPTS, to_file};
use crate::{Downloaded, StorageError};

/// In place of the ten seconds of a real client.
const STALL: Duration = Duration::from_millis(300);

/// Answers every request with a head that promises `length` bytes, and goes on as `body` does.
fn serve(
    length: usize,
    body: impl Fn(&mut TcpStream) + Send + Sync + Copy + 'static,
) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    // Ends with the test's process: the listener has no other owner.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let head = format!("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: {length}\r\n\r\n");
                // A GET without a body fits in one read; the client may be gone already, and nobody minds.
                if stream.read(&mut [0; 16_384]).is_ok() && stream.write_all(head.as_bytes()).is_ok() {
                    body(&mut stream);
                }
            });
        }
    });
    Ok(endpoint)
}

async fn download(endpoint: &str) -> anyhow::Result<Result<Downloaded, StorageError>> {
    let client = client_with_stall(&S3Settings::fixed(endpoint, "key", "secret"), STALL).await?;
    let object = ObjectVersion { uri: "s3://bucket/key".parse()?, version: "v1".to_owned() };
    let folder = tempfile::tempdir()?;
    Ok(to_file(&client, &object, &folder.path().join("to"), 1 << 20).await)
}

#[tokio::test]
async fn body_that_stops_coming_is_broken_off() -> anyhow::Result<()> {
    let endpoint = serve(1_000, |stream| {
        // Half of it, then nothing, until the client hangs up.
        if stream.write_all(&[0; 500]).is_ok() {
            stream.read_exact(&mut [0]).ok();
        }
    })?;
    let begun = Instant::now();
    let stalled = download(&endpoint).await?;
    assert!(
        matches!(&stalled, Err(StorageError::Unavailable(why)) if why.contains("throughput")),
        "{stalled:?}"
    );
    // Per try: a second over which the throughput is measured, the patience, and some delay of a busy machine.
    assert!(begun.elapsed() < BODY_ATTEMPTS * (Duration::from_secs(3) + STALL), "{:?}", begun.elapsed());
    Ok(())
}

#[tokio::test]
async fn body_that_comes_slowly_is_waited_for() -> anyhow::Result<()> {
    // 50 KB a second, over more than the measured second and the patience together.
    let endpoint = serve(100_000, |stream| {
        for _ in 0..20 {
            if stream.write_all(&[0; 5_000]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    })?;
    assert_eq!(download(&endpoint).await??.bytes, 100_000);
    Ok(())
}
