//! What nobody understands, kept and read again.

use anyhow::Result;
use s3_events::{Poison, parse};
use serde_json::{Value, json};

#[test]
fn poison_is_written_in_one_form() -> Result<()> {
    // `printf '??>' | base64`
    let message: Value = serde_json::from_str(&Poison::new("why", b"??>", 3).message())?;
    let expected = json!({ "reason": "why", "body_bytes": 3, "truncated": false, "body_base64": "Pz8+" });
    assert_eq!(message, json!({ "imageml_poison": expected }));
    Ok(())
}

#[test]
fn poison_is_no_notification_and_is_read_back() {
    let message = Poison::new("why", b"\xff{\0 and more", 3).message();
    assert!(parse(&message).is_err());
    let read = Poison::read(&message);
    assert_eq!(read, Some(Poison::new("why", b"\xff{\0 and more", 3)));
    let cut = read.map(|poison| (poison.body_bytes, poison.truncated, poison.body(100)));
    assert_eq!(cut, Some((12, true, Some(b"\xff{\0".to_vec()))));
}

#[test]
fn the_beginning_of_a_body_is_decoded_alone() {
    let poison = Poison::new("why", b"0123456789", 10);
    for bytes in 0..12 {
        assert_eq!(poison.body(bytes).as_deref(), Some(&b"0123456789"[..bytes.min(10)]), "{bytes}");
    }
}

#[test]
fn other_messages_are_no_poison_and_a_broken_body_is_none() {
    for other in ["", "{}", r#"{"Records":[]}"#, r#"{"imageml_poison":"text"}"#, r#"{"imageml_poison":{}}"#] {
        assert_eq!(Poison::read(other), None, "{other}");
    }
    let broken = Poison::read(r#"{"imageml_poison": {"reason": "why", "body_base64": "!"}}"#);
    assert_eq!(broken.map(|poison| poison.body(3)), Some(None));
}
