//! A throwaway ElasticMQ server: an SQS that somebody else wrote.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};

/// A Java program starts in seconds, on a busy machine in many.
const START_LIMIT: Duration = Duration::from_secs(120);

/// What stands before the address in the line that says where it listens.
const LISTENS: &str = "bind address ";

/// Runs the server and ends it when our end of the pipe to its standard input closes, which the kernel sees to
/// however we end. The server keeps nothing, so it may die at once.
const KEEPER: &str = r#"
trap '' HUP INT TERM
java "$@" </dev/null 2>&1 &
read -r _
kill -KILL $!
wait $!
"#;

/// What `java` is called with. Their names and defaults are in `reference.conf` of `elasticmq-rest-sqs`.
const ARGUMENTS: [&str; 9] = [
    // 100,000 messages as long as an S3 event (1 KB) need a good third of it.
    "-Xmx512m",
    // The collector and the compiler that start soonest and take the fewest threads.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Drest-sqs.bind-hostname=127.0.0.1",
    // It picks a free port and says which.
    "-Drest-sqs.bind-port=0",
    // Queue URLs name the address that the client called, also through a proxy.
    "-Dnode-address.host=*",
    // Limits on batches, waits and bodies as SQS has them.
    "-Drest-sqs.sqs-limits=strict",
    // The class path; relative to the folder of the jars, which is where it runs.
    "-classpath",
    "*",
];

/// A running ElasticMQ (Maven `org.elasticmq:elasticmq-server_3`), killed when dropped or when this process ends. It
/// keeps everything in memory and takes any credentials; tests that share one use queues of their own.
#[derive(Debug)]
pub struct ElasticMq {
    endpoint: String,
    /// Holds the pipe: see `KEEPER`.
    keeper: Child,
}

impl ElasticMq {
    /// Starts a server on a free port of 127.0.0.1, from the jars in `.elasticmq` of the workspace, by the `java` on
    /// `PATH`. Blocks until it answers: about two seconds.
    ///
    /// # Errors
    /// The jars are missing (`make setup-java` brings them), or it ended instead of starting; the message has what it
    /// printed.
    pub fn start() -> anyhow::Result<Self> {
        let jars = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.elasticmq");
        ensure!(jars.is_dir(), "{} is missing. Run `make setup-java`", jars.display());
        let keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "keeper"])
            .args(ARGUMENTS)
            .arg("org.elasticmq.server.Main")
            .current_dir(jars)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Only the shell's: "Killed".
            .stderr(Stdio::null())
            // Ctrl-C is for us; the keeper follows in its own time.
            .process_group(0)
            .spawn()
            .context("run /bin/sh")?;
        // From here on a failure drops the server, and that kills it.
        let mut server = Self { endpoint: String::new(), keeper };
        let log = server.keeper.stdout.take().context("stdout is piped")?;
        let (found, address) = mpsc::channel();
        std::thread::spawn(move || read_log(log, &found));
        let address = address
            .recv_timeout(START_LIMIT)
            .context("ElasticMQ did not say where it listens")?
            .map_err(|printed| anyhow!("ElasticMQ ended at once: {printed}"))?;
        server.endpoint = format!("http://{address}");
        Ok(server)
    }

    /// The server that the tests running at the same time share; it ends with the last of them.
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        static SHARED: Mutex<Weak<ElasticMq>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Ok(running);
        }
        let started = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&started);
        Ok(started)
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for ElasticMq {
    fn drop(&mut self) {
        // The keeper reads the end of its input, kills the server and ends.
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}

/// Finds the address, or all that was printed if the server ends before, and then reads on, so that the server never
/// waits for a full pipe.
fn read_log(log: impl Read, found: &Sender<Result<String, String>>) {
    let mut printed = String::new();
    let mut lines = BufReader::new(log).lines().map_while(Result::ok);
    let address = lines.by_ref().find_map(|line| {
        let address =
            line.split_once(LISTENS).map(|(_, rest)| rest.split(',').next().unwrap_or(rest).to_owned());
        printed.push_str(&line);
        printed.push('\n');
        address
    });
    // The other side may have given up waiting.
    found.send(address.ok_or(printed)).ok();
    lines.for_each(drop);
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use anyhow::{Context as _, ensure};

    use super::ElasticMq;

    /// The answer to a request of the SQS query protocol
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests.html>).
    fn ask(server: &ElasticMq, query: &str) -> anyhow::Result<String> {
        let host = server.endpoint().strip_prefix("http://").context("an http endpoint")?;
        let mut connection = TcpStream::connect(host)?;
        write!(connection, "GET /?{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn queues_are_made_at_the_address_of_the_server_and_gone_with_it() -> anyhow::Result<()> {
        let server = ElasticMq::start()?;
        let made = ask(&server, "Action=CreateQueue&QueueName=inbox")?;
        let url = format!("<QueueUrl>{}/000000000000/inbox</QueueUrl>", server.endpoint());
        ensure!(made.starts_with("HTTP/1.1 200 ") && made.contains(&url), "{made}");
        let address = server.endpoint().trim_start_matches("http://").to_owned();
        drop(server);
        ensure!(TcpStream::connect(address).is_err(), "it still listens");
        Ok(())
    }
}
