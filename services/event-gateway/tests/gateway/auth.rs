//! Who may send.

use crate::client::{Answer, Connection, TOKEN, ask, expect, request};
use crate::rig::{Rig, event};

async fn with(rig: &Rig, line: &str, headers: &[&str]) -> anyhow::Result<Answer> {
    ask(rig.address, &request(line, headers, event("key").as_bytes())).await
}

#[tokio::test]
async fn without_a_good_token_nothing_is_taken() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let good = format!("Authorization: Bearer {TOKEN}");
    let in_query = format!("POST /webhook?token={TOKEN}&access_token={TOKEN}");
    let bare = format!("Authorization: {TOKEN}");
    let almost = format!("Authorization: Bearer {TOKEN}x");
    let basic = format!("Authorization: Basic {TOKEN}");
    let other_header = format!("X-Token: {TOKEN}");
    for (line, headers) in [
        ("POST /webhook", &[][..]),
        ("POST /webhook", &["Authorization:"]),
        ("POST /webhook", &["Authorization: Bearer"]),
        ("POST /webhook", &["Authorization: Bearer wrong-but-long-enough"]),
        ("POST /webhook", &[&bare]),
        ("POST /webhook", &[&almost]),
        ("POST /webhook", &[&basic]),
        ("POST /webhook", &[&other_header]),
        ("POST /webhook", &[&good, &good]),
        (&in_query, &[]),
    ] {
        let answer = with(&rig, line, headers).await?;
        expect(401, &answer)?;
        assert_eq!(answer.body, "unauthorized\n", "says nothing of what was wrong");
    }
    assert_eq!(rig.outcomes("unauthorized").await?, 10);
    assert_eq!(rig.queue.bodies().await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn both_tokens_are_good_while_they_change() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let today = format!("Authorization: Bearer {TOKEN}");
    for header in [today.as_str(), "authorization: bearer the-token-of-tomorrow"] {
        expect(200, &with(&rig, "POST /webhook", &[header]).await?)?;
    }
    Ok(())
}

#[tokio::test]
async fn bodies_of_strangers_are_not_read() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let mut stranger = Connection::open(rig.address).await?;
    stranger.write(b"POST /webhook HTTP/1.1\r\nHost: gateway\r\nContent-Length: 1000000\r\n\r\n").await;
    expect(401, &stranger.answer().await?)?;
    stranger.closed().await?;
    Ok(())
}
