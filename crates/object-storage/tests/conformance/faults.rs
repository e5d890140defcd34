//! Servers that refuse, break off or lie.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use local_cloud::{LocalCloud, LocalCloudConfig};
use object_storage::{BlobStore as _, PutOptions, StorageError};
use types::{ObjectVersion, S3Uri, Sha256};

use super::connect;

#[tokio::test]
async fn wrong_credentials_are_denied() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    let config = LocalCloudConfig { buckets: vec!["bucket".into()], ..LocalCloudConfig::new(root.path()) };
    let cloud = LocalCloud::start(config).await?;
    let uri: S3Uri = "s3://bucket/key".parse()?;
    for (access_key, secret_key) in [(cloud.access_key(), "wrong"), ("wrong", cloud.secret_key())] {
        let store = connect(cloud.endpoint(), access_key, secret_key).await;
        let refused = store.list(&uri, None, 1).await;
        assert!(matches!(refused, Err(StorageError::Denied { .. })), "{refused:?}");
        let refused = store.write("x".into(), &uri, &PutOptions::default()).await;
        assert!(matches!(refused, Err(StorageError::Denied { .. })), "{refused:?}");
    }
    Ok(())
}

#[tokio::test]
async fn nobody_listening_is_unavailable() -> anyhow::Result<()> {
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let store = connect(&format!("http://{free}"), "key", "secret").await;
    let refused = store.check(&"s3://bucket/".parse()?).await;
    assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn throttling_is_retried_and_then_unavailable() -> anyhow::Result<()> {
    const SLOW_DOWN: &str = "<Error><Code>SlowDown</Code><Message>reduce your rate</Message></Error>";
    let server = Scripted::start(|_, stream| respond(stream, "503 Slow Down", "", SLOW_DOWN));
    let store = connect(&server.endpoint, "key", "secret").await;
    let refused = store.head(&"s3://bucket/key".parse()?).await;
    assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    assert_eq!(server.requests(), 4, "the first and three retries");
    Ok(())
}

#[tokio::test]
async fn download_broken_off_in_the_middle_is_begun_again() -> anyhow::Result<()> {
    let server = Scripted::start(|request, stream| match request {
        1 | 2 => respond(stream, "200 OK", "ETag: \"v1\"\r\nContent-Length: 10\r\n", "01234"),
        _ => respond(stream, "200 OK", "ETag: \"v1\"\r\n", "0123456789"),
    });
    let store = connect(&server.endpoint, "key", "secret").await;
    let folder = tempfile::tempdir()?;
    let object = ObjectVersion { uri: "s3://bucket/key".parse()?, version: "v1".to_owned() };
    let down = store.download(&object, &folder.path().join("to"), 100).await?;
    assert_eq!(down.bytes, 10);
    assert_eq!(std::fs::read(folder.path().join("to"))?, b"0123456789");
    Ok(())
}

#[tokio::test]
async fn what_a_broken_off_body_has_written_is_not_kept() -> anyhow::Result<()> {
    // Enough for several writes before it breaks off.
    const LENGTH: usize = 2_000_000;
    let server = Scripted::start(|request, stream| {
        let headers = format!("ETag: \"v1\"\r\nContent-Length: {LENGTH}\r\n");
        let body = if request == 1 { "x".repeat(LENGTH - 1) } else { "y".repeat(LENGTH) };
        respond(stream, "200 OK", &headers, &body);
    });
    let store = connect(&server.endpoint, "key", "secret").await;
    let folder = tempfile::tempdir()?;
    let object = ObjectVersion { uri: "s3://bucket/key".parse()?, version: "v1".to_owned() };
    let down = store.download(&object, &folder.path().join("to"), LENGTH as u64).await?;
    let whole = "y".repeat(LENGTH);
    assert_eq!((down.bytes, down.sha256), (LENGTH as u64, Sha256::of(&whole)));
    assert!(std::fs::read(folder.path().join("to"))? == whole.as_bytes());
    assert_eq!(server.requests(), 2);
    Ok(())
}

#[tokio::test]
async fn body_with_a_wrong_checksum_is_damaged() -> anyhow::Result<()> {
    // CRC-32 of "0123456789" is A684C7C6 (zlib), in base64 poTHxg==; the body is another.
    let headers = "ETag: \"v1\"\r\nx-amz-checksum-crc32: poTHxg==\r\n";
    let server = Scripted::start(move |_, stream| respond(stream, "200 OK", headers, "0123456780"));
    let store = connect(&server.endpoint, "key", "secret").await;
    let folder = tempfile::tempdir()?;
    let object = ObjectVersion { uri: "s3://bucket/key".parse()?, version: "v1".to_owned() };
    let refused = store.download(&object, &folder.path().join("to"), 100).await;
    assert!(matches!(refused, Err(StorageError::Damaged { .. })), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn completion_that_fails_with_status_200_is_no_success() -> anyhow::Result<()> {
    const BEGUN: &str =
        "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>";
    const FAILED: &str = "<Error><Code>InternalError</Code><Message>please try again</Message></Error>";
    let server = Scripted::start(|_, stream| {
        let head = read_request(&mut stream.try_clone().expect("a socket"));
        match head.split(' ').next() {
            Some("POST") if head.contains("?uploads") => answer(stream, "200 OK", "", BEGUN),
            Some("POST") => answer(stream, "200 OK", "", FAILED),
            Some("PUT") => answer(stream, "200 OK", "ETag: \"part\"\r\n", ""),
            _ => answer(stream, "204 No Content", "", ""),
        }
    });
    let store = connect(&server.endpoint, "key", "secret").await;
    let folder = tempfile::tempdir()?;
    let from = folder.path().join("from");
    std::fs::File::create(&from)?.set_len((16 << 20) + 1)?;
    let refused = store.upload(&from, &"s3://bucket/key".parse()?, &PutOptions::default()).await;
    assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
    Ok(())
}

/// A server that answers each request, one per connection, with what the script says.
struct Scripted {
    endpoint: String,
    requests: Arc<AtomicUsize>,
}

impl Scripted {
    fn start(script: impl Fn(usize, &TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let requests = Arc::new(AtomicUsize::new(0));
        let (counter, script) = (Arc::clone(&requests), Arc::new(script));
        // Ends with the test's process: the listener has no other owner.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
                let script = Arc::clone(&script);
                std::thread::spawn(move || script(number, &stream));
            }
        });
        Self { endpoint, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn respond(stream: &TcpStream, status: &str, headers: &str, body: &str) {
    read_request(&mut stream.try_clone().expect("a socket"));
    answer(stream, status, headers, body);
}

/// Answers and closes. `headers` may declare another length than the body has.
fn answer(mut stream: &TcpStream, status: &str, headers: &str, body: &str) {
    let length = if headers.contains("Content-Length") {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let response = format!("HTTP/1.1 {status}\r\n{headers}{length}Connection: close\r\n\r\n{body}");
    // The client may be gone already, and then nobody minds.
    stream.write_all(response.as_bytes()).ok();
}

/// The head of the request; its body is read to the end, as its length says.
fn read_request(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    let mut chunk = [0; 65_536];
    loop {
        let text = String::from_utf8_lossy(received.get(..received.len().min(16_384)).unwrap_or_default())
            .into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if received.len() >= head.len() + 4 + length.unwrap_or(0) {
                return head.to_owned();
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return text,
            Ok(read) => received.extend_from_slice(&chunk[..read]),
        }
    }
}
