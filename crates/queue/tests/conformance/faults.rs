//! Servers that refuse, are silent or lie.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use queue::{Entry, Queue as _, QueueError, Receipt, SqsQueue, SqsSettings};
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn nobody_listening_is_unavailable() -> anyhow::Result<()> {
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let queue = connect(&format!("http://{free}")).await?;
    let started = Instant::now();
    let refused = queue.receive(1, Duration::from_secs(20), MINUTE).await;
    assert!(matches!(refused, Err(QueueError::Unavailable(_))), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "nobody is waited for");
    let refused = queue.send(&["body".to_owned()]).await;
    assert!(matches!(refused, Err(QueueError::Unavailable(_))), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(30));
    Ok(())
}

/// The clock stands still and jumps to the next deadline whenever everything waits, so this takes no time.
#[tokio::test(start_paused = true)]
async fn silent_server_is_unavailable_in_time() -> anyhow::Result<()> {
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let queue = connect(&format!("http://{}", silent.local_addr()?)).await?;
    let receipts = [Receipt::new("receipt")];
    let bodies = ["body".to_owned()];

    for (wait, at_most) in [(0, 15), (1, 16), (20, 35), (60, 35)] {
        let started = Instant::now();
        let refused = queue.receive(1, Duration::from_secs(wait), MINUTE).await;
        assert!(matches!(refused, Err(QueueError::Unavailable(_))), "{refused:?}");
        let took = started.elapsed();
        assert!(took > Duration::from_secs(at_most - 1), "the server had only {took:?} to wait {wait} s");
        assert!(took <= Duration::from_secs(at_most), "{took:?} for a wait of {wait} s");
    }
    let started = Instant::now();
    let refused = queue.delete(&receipts).await;
    assert!(matches!(refused, Err(QueueError::Unavailable(_))), "{refused:?}");
    assert!(started.elapsed() > Duration::from_secs(20), "it was not tried again: {:?}", started.elapsed());
    assert!(started.elapsed() <= Duration::from_secs(30), "{:?}", started.elapsed());
    let started = Instant::now();
    assert!(queue.hide(&receipts, MINUTE).await.is_err());
    assert!(queue.send(&bodies).await.is_err());
    assert!(queue.depth().await.is_err());
    assert!(started.elapsed() <= Duration::from_secs(90), "{:?}", started.elapsed());
    Ok(())
}

#[tokio::test]
async fn throttling_is_retried_but_for_receive() -> anyhow::Result<()> {
    const THROTTLED: &str = r#"{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow down"}"#;
    let server = Scripted::start(|_| ("400 Bad Request", THROTTLED.to_owned()));
    let queue = connect(&server.endpoint).await?;
    let refused = queue.receive(1, Duration::ZERO, MINUTE).await;
    assert!(matches!(refused, Err(QueueError::Unavailable(_))), "{refused:?}");
    assert_eq!(server.requests().len(), 1, "a receive is not repeated");
    let refused = queue.depth().await;
    assert!(matches!(refused, Err(QueueError::Unavailable(_))), "{refused:?}");
    assert_eq!(server.requests().len(), 1 + 3, "the first and two retries");
    Ok(())
}

#[tokio::test]
async fn refusals_of_who_we_are_are_denied() -> anyhow::Result<()> {
    // The bodies of AWS's JSON protocol, and a proxy's page.
    for (status, body) in [
        (
            "403 Forbidden",
            r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"not you"}"#,
        ),
        (
            "400 Bad Request",
            r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"who?"}"#,
        ),
        ("403 Forbidden", "<html>no</html>"),
    ] {
        let server = Scripted::start(move |_| (status, body.to_owned()));
        let queue = connect(&server.endpoint).await?;
        let refused = queue.receive(1, Duration::ZERO, MINUTE).await;
        assert!(matches!(refused, Err(QueueError::Denied(_))), "{refused:?}");
        assert_eq!(server.requests().len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn entries_are_matched_by_id_and_missing_ones_are_unavailable() -> anyhow::Result<()> {
    const ANSWER: &str = r#"{
        "Successful": [{"Id": "3"}, {"Id": "0"}, {"Id": "17"}],
        "Failed": [
            {"Id": "4", "SenderFault": true, "Code": "ReceiptHandleIsInvalid", "Message": "The receipt r4 is bad."},
            {"Id": "2", "SenderFault": false, "Code": "InternalError"}
        ]
    }"#;
    let server = Scripted::start(|_| ("200 OK", ANSWER.to_owned()));
    let queue = connect(&server.endpoint).await?;
    let receipts = ["r0", "r1", "r2", "r3", "r4"].map(Receipt::new);
    for entries in [queue.delete(&receipts).await?, queue.hide(&receipts, MINUTE).await?] {
        let [
            Ok(()),
            Err(QueueError::Unavailable(missing)),
            Err(QueueError::Unavailable(_)),
            Ok(()),
            Err(QueueError::Lost(lost)),
        ] = entries.as_slice()
        else {
            panic!("{entries:?}");
        };
        assert!(missing.contains("says nothing"), "{missing}");
        assert!(!lost.contains("r4"), "a receipt in a message: {lost}");
    }
    Ok(())
}

/// moto and SQS refuse a request for one bad body in it.
#[tokio::test]
async fn request_that_is_refused_for_one_entry_is_sent_in_parts() -> anyhow::Result<()> {
    let server = Scripted::start(|request| {
        if request.contains("bad") {
            let refusal = r#"{"__type":"com.amazonaws.sqs#BatchRequestTooLong","message":"too long"}"#;
            return ("400 Bad Request", refusal.to_owned());
        }
        let sent = (0..request.matches("MessageBody").count())
            .map(|id| format!(r#"{{"Id":"{id}","MessageId":"m","MD5OfMessageBody":"m"}}"#));
        ("200 OK", format!(r#"{{"Successful":[{}],"Failed":[]}}"#, sent.collect::<Vec<_>>().join(",")))
    });
    let queue = connect(&server.endpoint).await?;
    let bodies = ["0", "1", "2", "bad", "4"].map(str::to_owned);
    let entries = queue.send(&bodies).await?;
    let refused = |entry: &Entry| matches!(entry, Err(QueueError::Invalid(_)));
    assert_eq!(entries.iter().map(refused).collect::<Vec<_>>(), [false, false, false, true, false]);
    let sent = server.requests().into_iter().filter(|request| !request.contains("bad")).collect::<String>();
    for body in ["0", "1", "2", "4"] {
        let quoted = format!("\"MessageBody\":\"{body}\"");
        assert_eq!(sent.matches(&quoted).count(), 1, "{body} was not sent once: {sent}");
    }
    Ok(())
}

#[tokio::test]
async fn messages_are_read_as_far_as_they_say_something() -> anyhow::Result<()> {
    // The syntax of API_ReceiveMessage. 1 700 000 000 000 ms is 2023-11-14T22:13:20Z.
    const ANSWER: &str = r#"{"Messages": [
        {"MessageId": "m1", "ReceiptHandle": "r1", "Body": "b1",
         "Attributes": {"ApproximateReceiveCount": "7", "SentTimestamp": "1700000000000"}},
        {"MessageId": "m2", "ReceiptHandle": "r2", "Body": "b2"},
        {"MessageId": "m3", "Body": "nobody can answer this one"}
    ]}"#;
    let server = Scripted::start(|_| ("200 OK", ANSWER.to_owned()));
    let queue = connect(&server.endpoint).await?;
    let messages = queue.receive(10, Duration::from_millis(1), Duration::from_millis(1_500)).await?;
    let read: Vec<_> =
        messages.iter().map(|m| (m.id.as_str(), m.receipt.expose(), m.receive_count, m.sent_at)).collect();
    let sent_at = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    assert_eq!(read, [("m1", "r1", 7, Some(sent_at)), ("m2", "r2", 1, None)]);
    let asked = server.requests().concat();
    for part in [
        r#""MaxNumberOfMessages":10"#,
        r#""WaitTimeSeconds":1"#,
        r#""VisibilityTimeout":2"#,
        r#""MessageSystemAttributeNames":["ApproximateReceiveCount","SentTimestamp"]"#,
    ] {
        assert!(asked.contains(part), "{part} is not in {asked}");
    }
    Ok(())
}

#[tokio::test]
async fn settings_that_name_no_queue_are_refused() {
    let settings = SqsSettings::fixed("http://127.0.0.1:1", "key", "secret", "name");
    let refused = SqsQueue::connect(&settings).await;
    assert!(matches!(refused, Err(QueueError::Configuration(_))), "{refused:?}");
}

async fn connect(endpoint: &str) -> Result<SqsQueue, QueueError> {
    let url = format!("{endpoint}/123456789012/name");
    SqsQueue::connect(&SqsSettings::fixed(endpoint, "key", "secret", &url)).await
}

/// A server that answers each request, one per connection, with the status and body that the script has for its body.
struct Scripted {
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn start(script: impl Fn(&str) -> (&'static str, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        // Ends with the test's process: the listener has no other owner.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let request = read_request(&mut stream);
                let (status, body) = script(&request);
                log.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n",
                    body.len()
                );
                // The client may be gone already, and then nobody minds.
                stream.write_all(format!("{head}{body}").as_bytes()).ok();
            }
        });
        Self { endpoint, requests }
    }

    /// The bodies of the requests so far.
    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The body of one request.
fn read_request(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    let mut chunk = [0; 65_536];
    loop {
        let text = String::from_utf8_lossy(&received).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return body.to_owned();
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return text,
            Ok(read) => received.extend_from_slice(chunk.get(..read).unwrap_or_default()),
        }
    }
}
