//! Which requests meet which fault.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;

use crate::photos::{STEP, mix};

/// A request as matchers see it.
#[derive(Debug, Clone, Copy)]
pub struct HttpRequest<'a> {
    /// `GET`, `PUT`, …
    pub method: &'a str,
    /// The path as it stands on the wire, percent-encoded.
    pub path: &'a str,
    /// What follows the question mark, encoded; empty where there is none.
    pub query: &'a str,
    /// Names as they were sent, and values.
    pub headers: &'a [(String, String)],
    /// The beginning of the body: its first 64 KiB. Empty for a [`Matcher`] without a condition on it.
    pub body: &'a [u8],
}

impl<'a> HttpRequest<'a> {
    /// The first header of that name, whose case does not matter.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The action of AWS's JSON protocols, without the service: `DeleteMessageBatch`.
    pub fn target(&self) -> Option<&'a str> {
        self.header("x-amz-target").map(|target| target.rsplit_once('.').map_or(target, |(_, action)| action))
    }
}

type Condition = Arc<dyn Fn(&HttpRequest<'_>) -> bool + Send + Sync>;

/// Which requests a rule is for: those that fulfil all its conditions.
#[derive(Clone, Default)]
pub struct Matcher {
    on_head: Vec<Condition>,
    on_body: Vec<Condition>,
}

impl Matcher {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Only this method.
    pub fn method(self, method: &'static str) -> Self {
        self.on_head(move |request| request.method == method)
    }

    /// Only paths with this in them, as they stand on the wire.
    pub fn path_contains(self, part: impl Into<String>) -> Self {
        let part = part.into();
        self.on_head(move |request| request.path.contains(&part))
    }

    /// Only queries with this in them, as they stand on the wire.
    pub fn query_contains(self, part: impl Into<String>) -> Self {
        let part = part.into();
        self.on_head(move |request| request.query.contains(&part))
    }

    /// Only this action of an AWS JSON protocol, without the service: `ReceiveMessage`.
    pub fn target(self, action: &'static str) -> Self {
        self.on_head(move |request| request.target() == Some(action))
    }

    /// Only where this holds for all but the body, which it sees empty.
    pub fn on_head(mut self, holds: impl Fn(&HttpRequest<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.on_head.push(Arc::new(holds));
        self
    }

    /// Only where this holds, the beginning of the body included. Requests that fulfil the other conditions wait at
    /// the proxy for that beginning.
    pub fn on_body(mut self, holds: impl Fn(&HttpRequest<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.on_body.push(Arc::new(holds));
        self
    }

    /// Only bodies with this in their beginning.
    pub fn body_contains(self, part: impl Into<Vec<u8>>) -> Self {
        let part = part.into();
        self.on_body(move |request| {
            part.is_empty() || request.body.windows(part.len()).any(|window| window == part)
        })
    }

    fn takes_head(&self, request: &HttpRequest<'_>) -> bool {
        self.on_head.iter().all(|holds| holds(request))
    }

    fn takes(&self, request: &HttpRequest<'_>) -> bool {
        self.takes_head(request) && self.on_body.iter().all(|holds| holds(request))
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matcher({} conditions)", self.on_head.len() + self.on_body.len())
    }
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// As if the other end were done: the client reads an end of file.
    Fin,
    /// As if the other end had died: the client reads "connection reset". It may lose what was sent just before.
    Rst,
}

/// What turns an answer's body into another.
pub type Rewrite = Arc<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>;

/// What befalls a request or its answer.
///
/// Delayed, held and duplicated requests reach the server also if the client has gone meanwhile.
#[derive(Clone)]
#[non_exhaustive]
pub enum Fault {
    /// The request waits before it goes to the server.
    Delay(Duration),
    /// The answer waits before it goes to the client; what it tells has happened.
    DelayAnswer(Duration),
    /// The request waits for a permit, which it keeps for good; a closed semaphore lets all pass.
    HoldUntil(Arc<Semaphore>),
    /// The answer waits for a permit, as in [`Fault::HoldUntil`].
    HoldAnswerUntil(Arc<Semaphore>),
    /// The proxy answers by itself; the server hears nothing.
    Status {
        /// The HTTP status.
        code: u16,
        /// More headers; `Content-Length` is added.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// The connection is closed without an answer, and the server hears nothing.
    Refuse(Cut),
    /// No answer ever, and the server hears nothing. The connection stays until the client closes it.
    Blackhole,
    /// The server does what it is asked and answers; the client gets nothing but a closed connection.
    LoseAnswer(Cut),
    /// The connection is closed after the head of the answer and so many bytes of its body (those on the wire: chunk
    /// sizes count). A body that is no longer than that arrives whole.
    CutResponseAfter {
        /// Bytes of the body that pass.
        bytes: u64,
        /// How it ends.
        how: Cut,
    },
    /// Nothing more passes after the head of the answer and so many bytes of its body. The connection stays until the
    /// client closes it.
    StallResponseAfter(u64),
    /// Both bodies pass at this speed.
    Throttle {
        /// The speed.
        bytes_per_second: u64,
    },
    /// The answer gets another body, and a `Content-Length` for it.
    RewriteBody(Rewrite),
    /// The server gets the request twice, one after the other; the client gets the second answer.
    Duplicate,
}

impl Fault {
    /// An answer without headers and body.
    pub fn status(code: u16) -> Self {
        Self::Status { code, headers: Vec::new(), body: Vec::new() }
    }

    /// An error as S3 answers it
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>): 503 `SlowDown`.
    pub fn s3_error(code: u16, name: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{name}</Code><Message>made by a test</Message></Error>"
        );
        let headers = vec![("Content-Type".to_owned(), "application/xml".to_owned())];
        Self::Status { code, headers, body: body.into_bytes() }
    }

    /// An error as SQS answers it in the JSON protocol (AWS JSON 1.0,
    /// <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>): 400 `ReceiptHandleIsInvalid`.
    pub fn sqs_error(code: u16, name: &str) -> Self {
        let body = json!({ "__type": format!("com.amazonaws.sqs#{name}"), "message": "made by a test" });
        let headers = vec![("Content-Type".to_owned(), "application/x-amz-json-1.0".to_owned())];
        Self::Status { code, headers, body: body.to_string().into_bytes() }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Delay(_) => "Delay",
            Self::DelayAnswer(_) => "DelayAnswer",
            Self::HoldUntil(_) => "HoldUntil",
            Self::HoldAnswerUntil(_) => "HoldAnswerUntil",
            Self::Status { .. } => "Status",
            Self::Refuse(_) => "Refuse",
            Self::Blackhole => "Blackhole",
            Self::LoseAnswer(_) => "LoseAnswer",
            Self::CutResponseAfter { .. } => "CutResponseAfter",
            Self::StallResponseAfter(_) => "StallResponseAfter",
            Self::Throttle { .. } => "Throttle",
            Self::RewriteBody(_) => "RewriteBody",
            Self::Duplicate => "Duplicate",
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A fault and the requests that meet it.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Which requests.
    pub matching: Matcher,
    /// Which share of them, 0 to 1, by the proxy's seed: the n-th matching request of a rule fares the same in each run.
    pub share: f64,
    /// How many at most.
    pub times: Option<u32>,
    /// What befalls them.
    pub fault: Fault,
}

impl Rule {
    /// The fault for every matching request.
    pub fn new(matching: Matcher, fault: Fault) -> Self {
        Self { matching, share: 1.0, times: None, fault }
    }

    /// Only for this share of them.
    pub fn share(self, share: f64) -> Self {
        Self { share, ..self }
    }

    /// Only so many times.
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// Names a rule that was added to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(u64);

/// The rules in force, in the order in which they are asked.
#[derive(Debug)]
pub(super) struct RuleBook {
    seed: u64,
    added: u64,
    rules: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: RuleId,
    rule: Rule,
    die: Die,
}

impl RuleBook {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, added: 0, rules: Vec::new() }
    }

    pub(super) fn add(&mut self, rule: Rule) -> RuleId {
        let id = RuleId(self.added);
        self.added += 1;
        // Far apart, so that neighbouring rules do not see the same numbers.
        let die = Die { state: self.seed.wrapping_add(id.0.wrapping_mul(0xd134_2543_de82_ef95)) };
        self.rules.push(Entry { id, rule, die });
        id
    }

    pub(super) fn remove(&mut self, id: RuleId) {
        self.rules.retain(|entry| entry.id != id);
    }

    pub(super) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Whether the body must be read to choose.
    pub(super) fn needs_body(&self, request: &HttpRequest<'_>) -> bool {
        self.rules.iter().any(|entry| {
            let matching = &entry.rule.matching;
            entry.rule.times != Some(0) && !matching.on_body.is_empty() && matching.takes_head(request)
        })
    }

    /// The first rule that takes the request and whose die says so.
    pub(super) fn choose(&mut self, request: &HttpRequest<'_>) -> Option<(RuleId, Fault)> {
        for entry in &mut self.rules {
            if entry.rule.times == Some(0) || !entry.rule.matching.takes(request) {
                continue;
            }
            if entry.die.roll() < entry.rule.share {
                entry.rule.times = entry.rule.times.map(|times| times - 1);
                return Some((entry.id, entry.rule.fault.clone()));
            }
        }
        None
    }
}

/// The random numbers of one rule.
#[derive(Debug)]
struct Die {
    state: u64,
}

impl Die {
    /// From 0 to below 1.
    fn roll(&mut self) -> f64 {
        let bits = mix(self.state) >> 11;
        self.state = self.state.wrapping_add(STEP);
        bits as f64 / (1_u64 << 53) as f64
    }
}
