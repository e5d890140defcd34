//! `imageml dlq`, on servers that others wrote.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use queue::{MAX_BATCH, Message, NewQueue, Queue as _, Redrive, SqsQueue, SqsSettings};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::{ElasticMq, Fault, FaultProxy, Matcher, Moto, Rule, until};
use tokio::sync::Semaphore;

use crate::bench::{Bench, Ran, Running, fields, list, text};

/// Longer than any test takes: what the commands leave hidden does not come back by itself.
const HIDDEN: Duration = Duration::from_secs(600);

/// Far beyond what anything here takes.
const HANGS: Duration = Duration::from_secs(60);

/// "Event message structure" of the S3 user guide, one line.
const EVENT: &str = include_str!("../../../../crates/s3-events/tests/fixtures/aws-2.1-put.json");

/// The example in the gateway's `poison.rs`.
const POISON: &str = r#"{"imageml_poison": {"reason": "not JSON: why", "body_bytes": 3, "truncated": false, "body_base64": "Pz8+"}}"#;

/// A work queue and its dead-letter queue.
struct Pair {
    bench: Bench,
    work: SqsQueue,
    dead: SqsQueue,
}

impl Pair {
    async fn at(endpoint: &str) -> anyhow::Result<Self> {
        let settings = SqsSettings::fixed(endpoint, "test", "test", "");
        let name = format!("dlq-{}", uuid::Uuid::new_v4().simple());
        let plain = NewQueue { visibility: HIDDEN, redrive: None };
        let dead = SqsQueue::create(&settings, &format!("{name}-dead"), plain).await?;
        let redrive = Some(Redrive { to: &dead, max_receive_count: 1 });
        let work = SqsQueue::create(&settings, &name, NewQueue { visibility: HIDDEN, redrive }).await?;
        Ok(Self { bench: Bench::new()?, work, dead })
    }

    /// Puts bodies straight into the dead-letter queue.
    async fn bury(&self, bodies: &[&str]) -> anyhow::Result<()> {
        send(&self.dead, bodies).await
    }

    fn command(&self, command: &str, more: &[&str]) -> Command {
        credentials(self.bench.command(&[&["dlq", command, "--queue-url", self.work.url()], more].concat()))
    }

    async fn dlq(&self, command: &str, more: &[&str]) -> anyhow::Result<Ran> {
        run(self.command(command, more)).await
    }

    /// The document of what must succeed.
    async fn json(&self, command: &str, more: &[&str]) -> anyhow::Result<Value> {
        let ran = self.dlq(command, &[&["--json"], more].concat()).await?;
        ensure!(ran.code == Some(0), "{ran}");
        ran.document()
    }
}

fn credentials(mut command: Command) -> Command {
    command
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "us-east-1");
    command
}

/// Other tests go on meanwhile.
async fn run(command: Command) -> anyhow::Result<Ran> {
    tokio::task::spawn_blocking(move || Running::start(command)?.wait()).await?
}

async fn send(queue: &SqsQueue, bodies: &[&str]) -> anyhow::Result<()> {
    let bodies: Vec<String> = bodies.iter().map(ToString::to_string).collect();
    for page in bodies.chunks(MAX_BATCH) {
        for answer in queue.send(page).await? {
            answer?;
        }
    }
    Ok(())
}

/// The visible ones; hidden from now on.
async fn messages(queue: &SqsQueue) -> anyhow::Result<Vec<Message>> {
    let mut all = Vec::new();
    loop {
        let page = queue.receive(MAX_BATCH, Duration::ZERO, HIDDEN).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn bodies(queue: &SqsQueue) -> anyhow::Result<Vec<String>> {
    let mut bodies: Vec<_> = messages(queue).await?.into_iter().map(|message| message.body).collect();
    bodies.sort_unstable();
    Ok(bodies)
}

fn numbered(count: u32) -> Vec<String> {
    (10..10 + count).map(|number| number.to_string()).collect()
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Servers differ in what they do with receipts and counts.
async fn on_every_server(check: impl AsyncFn(Pair) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let (elastic_mq, moto) = (ElasticMq::shared()?, Moto::shared()?);
    let on = async |endpoint, name| check(Pair::at(endpoint).await?).await.context(name);
    tokio::try_join!(
        Box::pin(on(elastic_mq.endpoint(), "ElasticMQ")),
        Box::pin(on(moto.endpoint(), "moto"))
    )?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_says_what_each_letter_is_about_and_takes_nothing() -> anyhow::Result<()> {
    on_every_server(async |pair| {
        pair.bury(&[EVENT.trim(), POISON, "no JSON"]).await?;
        let document = pair.json("list", &[]).await?;
        assert_eq!(fields(&document), ["complete", "dead_letter_queue", "messages", "queue"]);
        assert_eq!(document["queue"], pair.work.url());
        assert_eq!(document["complete"], true);
        let letters = list(&document, "/messages")?;
        let about =
            |about: &str| letters.iter().find(|letter| letter["about"] == about).context("it is missing");

        let event = about("objects")?;
        let named = json!([{
            "event": "ObjectCreated:Put",
            "bucket": "amzn-s3-demo-bucket",
            "key": "raw/red flower.jpg",
            "version": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
        }]);
        assert_eq!(
            (&event["objects"], &event["more_objects"], &event["problem"]),
            (&named, &json!(0), &Value::Null)
        );
        assert_eq!(event["preview"], format!("{}…", EVENT.chars().take(200).collect::<String>()));
        assert_eq!(event["body_bytes"], EVENT.trim().len());
        assert_eq!(event["receive_count"], 1);
        assert!(text(event, "/sent_at")?.ends_with('Z'), "{event}");

        let poison = about("poison")?;
        assert_eq!((&poison["problem"], &poison["preview"]), (&json!("not JSON: why"), &json!("??>")));
        let unreadable = about("unreadable")?;
        assert!(text(unreadable, "/problem")?.starts_with("not JSON"), "{unreadable}");
        assert_eq!((letters.len(), &unreadable["preview"]), (3, &json!("no JSON")));

        let table = pair.dlq("list", &[]).await?.stdout;
        for said in ["s3://amzn-s3-demo-bucket/raw/red flower.jpg", "poison: not JSON: why", "no JSON"] {
            assert!(table.lines().any(|line| line.contains(said)), "{said} is not in\n{table}");
        }
        let there: BTreeSet<_> = messages(&pair.dead).await?.into_iter().map(|message| message.id).collect();
        let listed: BTreeSet<_> =
            letters.iter().map(|letter| text(letter, "/id").map(str::to_owned)).collect::<Result<_, _>>()?;
        assert_eq!(there, listed, "not there, or not visible");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_stops_at_the_limit_and_says_so() -> anyhow::Result<()> {
    let server = ElasticMq::shared()?;
    let pair = Pair::at(server.endpoint()).await?;
    assert_eq!(pair.dlq("list", &[]).await?.stdout, "no dead letters\n");
    pair.bury(&borrowed(&numbered(14))).await?;
    let ran = pair.dlq("list", &["--limit", "12", "--json"]).await?;
    let document = ran.document()?;
    assert_eq!((list(&document, "/messages")?.len(), &document["complete"]), (12, &json!(false)));
    assert!(ran.stderr.contains("--limit"), "{ran}");
    assert_eq!(bodies(&pair.dead).await?, numbered(14), "not there, or not visible");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redrive_moves_every_message_that_became_a_dead_letter() -> anyhow::Result<()> {
    on_every_server(async |pair| {
        send(&pair.work, &borrowed(&numbered(23))).await?;
        // Received once and not deleted: later receives move them.
        until("all are dead letters", HANGS, async || {
            pair.work.receive(MAX_BATCH, Duration::ZERO, Duration::ZERO).await?;
            Ok((pair.dead.depth().await?.visible == 23).then_some(()))
        })
        .await?;
        let dry = pair.json("redrive", &["--dry-run"]).await?;
        assert_eq!((&dry["redriven"], &dry["dry_run"]), (&json!(23), &json!(true)));
        assert_eq!((pair.dead.depth().await?.visible, pair.work.depth().await?.visible), (23, 0));

        let moved = pair.json("redrive", &[]).await?;
        let expected = json!({
            "queue": pair.work.url(),
            "dead_letter_queue": moved["dead_letter_queue"],
            "redriven": 23,
            "dry_run": false,
            "failed": [],
            "not_found": [],
            "more": false,
        });
        assert_eq!(moved, expected);
        assert_eq!(bodies(&pair.work).await?, numbered(23));
        assert_eq!(pair.dead.depth().await?, queue::Depth::default());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redrive_by_id_moves_only_those_and_the_others_stay_visible() -> anyhow::Result<()> {
    on_every_server(async |pair| {
        pair.bury(&borrowed(&numbered(12))).await?;
        let document = pair.json("list", &[]).await?;
        let id = |body: &str| {
            let found = list(&document, "/messages")?.iter().find(|letter| letter["preview"] == body);
            text(found.context("it was not listed")?, "/id")
        };
        let (first, second) = (id("11")?, id("20")?);
        let dry = pair.json("redrive", &["--dry-run", "--id", first]).await?;
        assert_eq!(dry["redriven"], 1);
        let ran = pair.dlq("redrive", &["--id", first, second, "--id", first]).await?;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "2 messages went back to work\n"), "{ran}");
        assert_eq!(bodies(&pair.work).await?, ["11", "20"]);
        let stayed: Vec<_> =
            numbered(12).into_iter().filter(|body| !["11", "20"].contains(&body.as_str())).collect();
        assert_eq!(bodies(&pair.dead).await?, stayed, "not there, or not visible");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_is_not_there_is_a_failure_that_names_it() -> anyhow::Result<()> {
    let server = ElasticMq::shared()?;
    let pair = Pair::at(server.endpoint()).await?;
    pair.bury(&["a"]).await?;
    let ran = pair.dlq("redrive", &["--id", "no-such-id"]).await?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("not moved: no-such-id"), "{ran}");
    let ran = pair.dlq("redrive", &["--id", "no-such-id", "--json"]).await?;
    let document = ran.document()?;
    assert_eq!((ran.code, &document["not_found"]), (Some(1), &json!(["no-such-id"])));
    assert_eq!((bodies(&pair.work).await?.len(), bodies(&pair.dead).await?), (0, vec!["a".to_owned()]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_without_dead_letters_is_a_failure_that_says_what_to_do() -> anyhow::Result<()> {
    on_every_server(async |pair| {
        // The dead-letter queue itself has none.
        let command = |command, more: &[&str]| {
            let arguments = [&["dlq", command, "--queue-url", pair.dead.url()], more].concat();
            run(credentials(pair.bench.command(&arguments)))
        };
        for name in ["list", "redrive"] {
            let ran = command(name, &[]).await?;
            assert_eq!(ran.code, Some(1), "{ran}");
            for said in ["has no dead-letter queue", "RedrivePolicy", "--dead-letter-queue-url"] {
                assert!(ran.stderr.contains(said), "{ran}");
            }
            let ran = command(name, &["--dead-letter-queue-url", pair.dead.url()]).await?;
            assert!(ran.code == Some(1) && ran.stderr.contains("its own dead-letter queue"), "{ran}");
        }
        // Named, it is used: here the other way round.
        send(&pair.work, &["a"]).await?;
        let ran = command("redrive", &["--dead-letter-queue-url", pair.work.url()]).await?;
        assert_eq!(ran.code, Some(0), "{ran}");
        assert_eq!(bodies(&pair.dead).await?, ["a"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_queue_is_a_failure_that_names_it() -> anyhow::Result<()> {
    let server = ElasticMq::shared()?;
    let pair = Pair::at(server.endpoint()).await?;
    let missing = format!("{}-missing", pair.work.url());
    for command in ["list", "redrive"] {
        let ran = pair.dlq(command, &["--dead-letter-queue-url", &missing]).await?;
        assert!(ran.code == Some(1) && ran.stderr.contains(&missing), "{ran}");
        let ran = pair.dlq(command, &["--dead-letter-queue-url", "http://user:secret@host/1/name"]).await?;
        assert!(ran.code == Some(1) && !ran.stderr.contains("secret"), "{ran}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_do_not_steer_the_terminal() -> anyhow::Result<()> {
    let server = Moto::shared()?;
    let pair = Pair::at(server.endpoint()).await?;
    let key = EVENT.trim().replace("raw/red+flower.jpg", "red%1B%5B31m%0Aline.jpg");
    // CSI as one character, which queues take.
    pair.bury(&[key.as_str(), "bad\u{9b}31m"]).await?;
    let table = pair.dlq("list", &[]).await?.stdout;
    for said in [r"red\u{1b}[31m\u{a}line.jpg", r"bad\u{9b}31m"] {
        assert!(table.contains(said), "{table}");
    }
    assert!(!table.contains(['\u{1b}', '\u{9b}']), "{table}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_list_makes_messages_visible_again() -> anyhow::Result<()> {
    let server = ElasticMq::shared()?;
    let pair = Pair::at(server.endpoint()).await?;
    pair.bury(&borrowed(&numbered(14))).await?;
    let proxy = FaultProxy::start(server.endpoint(), 1).await?;
    let permits = Arc::new(Semaphore::new(1));
    proxy.add(Rule::new(Matcher::any().target("ReceiveMessage"), Fault::HoldUntil(Arc::clone(&permits))));
    let mut command = pair.command("list", &[]);
    command.env("AWS_ENDPOINT_URL", proxy.endpoint());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    until("the second page is asked for", HANGS, async || {
        let receives = proxy.count(|request| request.target.as_deref() == Some("ReceiveMessage"));
        Ok((receives == 2).then_some(()))
    })
    .await?;
    kill_process(Pid::from_child(&child), Signal::INT)?;
    // Held until it has noticed. If it does not, it gives up and ends.
    let mut said = String::new();
    BufReader::new(child.stderr.take().context("stderr is piped")?).read_line(&mut said)?;
    permits.close();
    let ended = child.wait_with_output()?;
    assert!(said.starts_with("interrupted: "), "{said}");
    assert_eq!((ended.status.code(), ended.stdout.as_slice()), (Some(1), b"".as_slice()));
    assert_eq!(bodies(&pair.dead).await?, numbered(14), "not there, or not visible");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_fails_half_way_makes_messages_visible_again() -> anyhow::Result<()> {
    let server = ElasticMq::shared()?;
    let pair = Pair::at(server.endpoint()).await?;
    pair.bury(&borrowed(&numbered(14))).await?;
    let proxy = FaultProxy::start(server.endpoint(), 1).await?;
    let receive = || Matcher::any().target("ReceiveMessage");
    // The first passes through a rule that is used up.
    proxy.add(Rule::new(receive(), Fault::Delay(Duration::ZERO)).times(1));
    proxy.add(Rule::new(receive(), Fault::sqs_error(403, "AccessDenied")));
    let mut command = pair.command("list", &[]);
    command.env("AWS_ENDPOINT_URL", proxy.endpoint());
    let ran = run(command).await?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("access to the queue denied"), "{ran}");
    assert_eq!(bodies(&pair.dead).await?, numbered(14), "not there, or not visible");
    Ok(())
}

#[test]
fn wrong_arguments_of_dlq_exit_2() -> anyhow::Result<()> {
    let bench = Bench::new()?;
    let url = "http://127.0.0.1:1/1/name";
    let commands: [&[&str]; 6] = [
        &["dlq"],
        &["dlq", "list"],
        &["dlq", "redrive"],
        &["dlq", "list", "--queue-url", url, "--limit", "0"],
        &["dlq", "list", "--queue-url", url, "--limit", "10001"],
        &["dlq", "redrive", "--queue-url", url, "--id"],
    ];
    for command in commands {
        let ran = bench.imageml(command)?;
        assert_eq!(ran.code, Some(2), "{command:?}: {ran}");
    }
    Ok(())
}

#[test]
fn help_of_dlq_is_as_it_was_reviewed() -> anyhow::Result<()> {
    let bench = Bench::new()?;
    insta::assert_snapshot!("imageml_dlq_list_help", bench.succeed(&["dlq", "list", "--help"])?.stdout);
    insta::assert_snapshot!("imageml_dlq_redrive_help", bench.succeed(&["dlq", "redrive", "--help"])?.stdout);
    Ok(())
}
