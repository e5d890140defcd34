use anyhow::ensure;

use super::{Client, Echo};
use crate::fault_proxy::{Fault, FaultProxy, Matcher, Rule};

/// What the server or a rule answers to these requests: (method, target, headers, body).
async fn statuses(rules: Vec<Rule>, requests: &[(&str, &str, &str, &str)]) -> anyhow::Result<Vec<u16>> {
    let echo = Echo::start().await?;
    let proxy = FaultProxy::start(&echo.endpoint, 7).await?;
    proxy.set(rules);
    let mut client = Client::connect(&proxy).await?;
    let mut statuses = Vec::new();
    for (method, target, headers, body) in requests {
        client.send_with(method, target, headers, body).await?;
        statuses.push(client.answer(method).await?.0);
    }
    Ok(statuses)
}

#[tokio::test]
async fn a_matcher_takes_what_fulfils_all_its_conditions() -> anyhow::Result<()> {
    let sqs = "X-Amz-Target: AmazonSQS.DeleteMessageBatch\r\n";
    let requests = [
        ("GET", "/bucket/a%20b?partNumber=1", "", ""),
        ("PUT", "/bucket/a%20b?partNumber=1", "", "some text"),
        ("PUT", "/bucket/other", "", "other text"),
        ("POST", "/", sqs, r#"{"QueueUrl":"one"}"#),
        ("POST", "/", "x-amz-target: AmazonSQS.DeleteMessage\r\n", r#"{"QueueUrl":"two"}"#),
    ];
    let cases = [
        (Matcher::any(), [503, 503, 503, 503, 503]),
        (Matcher::any().method("PUT"), [200, 503, 503, 200, 200]),
        (Matcher::any().path_contains("a%20b"), [503, 503, 200, 200, 200]),
        (Matcher::any().path_contains("partNumber"), [200; 5]),
        (Matcher::any().query_contains("partNumber=1").method("PUT"), [200, 503, 200, 200, 200]),
        (Matcher::any().target("DeleteMessageBatch"), [200, 200, 200, 503, 200]),
        (Matcher::any().body_contains("QueueUrl"), [200, 200, 200, 503, 503]),
        (Matcher::any().body_contains("text").path_contains("other"), [200, 200, 503, 200, 200]),
        (Matcher::any().on_head(|request| request.header("HOST") == Some("h")), [503; 5]),
        (Matcher::any().on_body(|request| request.body.is_empty()), [503, 200, 200, 200, 200]),
    ];
    for (matching, expected) in cases {
        let shown = format!("{matching:?} {expected:?}");
        let found = statuses(vec![Rule::new(matching, Fault::status(503))], &requests).await?;
        assert_eq!(found, expected, "{shown}");
    }
    Ok(())
}

#[tokio::test]
async fn the_first_rule_that_takes_a_request_is_applied_until_it_is_spent() -> anyhow::Result<()> {
    let rules = vec![
        Rule::new(Matcher::any().method("PUT"), Fault::status(500)).times(2),
        Rule::new(Matcher::any(), Fault::status(503)).times(2),
    ];
    let requests = [
        ("PUT", "/", "", ""),
        ("GET", "/", "", ""),
        ("PUT", "/", "", ""),
        ("PUT", "/", "", ""),
        ("PUT", "/", "", ""),
    ];
    assert_eq!(statuses(rules, &requests).await?, [500, 503, 500, 503, 200]);
    Ok(())
}

#[tokio::test]
async fn a_share_depends_on_the_seed_and_on_nothing_else() -> anyhow::Result<()> {
    let requests = [("GET", "/", "", ""); 400];
    let rules = || vec![Rule::new(Matcher::any(), Fault::status(503)).share(0.25)];
    let first = statuses(rules(), &requests).await?;
    assert_eq!(first, statuses(rules(), &requests).await?);
    // 100 are expected; four standard deviations (8.7) either way.
    let hit = first.iter().filter(|status| **status == 503).count();
    ensure!((65..=135).contains(&hit), "{hit}");
    Ok(())
}

#[tokio::test]
async fn rules_are_taken_back_one_by_one() -> anyhow::Result<()> {
    let echo = Echo::start().await?;
    let proxy = FaultProxy::start(&echo.endpoint, 1).await?;
    let first = proxy.add(Rule::new(Matcher::any(), Fault::status(500)));
    let second = proxy.add(Rule::new(Matcher::any(), Fault::status(503)));
    let mut client = Client::connect(&proxy).await?;
    assert_eq!(client.ask("GET", "/", "").await?.0, 500);
    proxy.remove(first);
    assert_eq!(client.ask("GET", "/", "").await?.0, 503);
    proxy.remove(second);
    assert_eq!(client.ask("GET", "/", "").await?.0, 200);
    let met: Vec<_> = proxy.log().iter().map(|request| request.rule).collect();
    assert_eq!(met, [Some(first), Some(second), None]);
    Ok(())
}

#[tokio::test]
async fn the_log_tells_what_came_when_and_how_it_was_answered() -> anyhow::Result<()> {
    let echo = Echo::start().await?;
    let proxy = FaultProxy::start(&echo.endpoint, 1).await?;
    let mut client = Client::connect(&proxy).await?;
    client.ask("PUT", "/bucket/key?x=1", "pixels").await?;
    client.send_with("POST", "/", "X-Amz-Target: AmazonSQS.DeleteMessage\r\n", "{}").await?;
    client.answer("POST").await?;

    let log = proxy.log();
    let [put, delete] = log.as_slice() else { anyhow::bail!("{log:?}") };
    assert_eq!((put.method.as_str(), put.path.as_str(), put.query.as_str()), ("PUT", "/bucket/key", "x=1"));
    assert_eq!((put.target.as_deref(), put.body.as_slice(), put.status), (None, b"".as_slice(), Some(200)));
    assert_eq!((delete.target.as_deref(), delete.body.as_slice()), (Some("DeleteMessage"), b"{}".as_slice()));
    assert_eq!(
        (put.answer.as_slice(), delete.answer.as_slice()),
        (b"".as_slice(), b"{}".as_slice()),
        "an echo"
    );
    ensure!(put.answered_at.is_some_and(|answered| put.at <= answered && answered <= delete.at));
    assert_eq!(proxy.count(|request| request.method == "PUT"), 1);
    Ok(())
}
