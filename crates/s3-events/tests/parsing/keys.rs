//! Keys, encoded as the senders do. The encoders here are written from the senders' sources, apart from ours.

use anyhow::Result;
use proptest::prelude::*;
use s3_events::{ParseError, Sender, parse};
use serde_json::json;

use crate::{only, record};

/// The WHATWG URL standard's `application/x-www-form-urlencoded` byte serializer, but for the bytes in `kept` too.
fn form_encoded(key: &str, kept: &str) -> String {
    let mut encoded = String::new();
    for byte in key.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => encoded.push(byte.into()),
            _ if kept.contains(char::from(byte)) && byte.is_ascii() => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Every sender, its `eventSource` (none for EventBridge) and how it writes a key.
fn sent(key: &str) -> [(Sender, &'static str, String); 7] {
    [
        (Sender::Aws, "aws:s3", form_encoded(key, "*-._/")),
        // moto: Python's quote_plus, which keeps "_.-~".
        (Sender::Aws, "aws:s3", form_encoded(key, "_.-~")),
        // Go's url.QueryEscape keeps "-_.~".
        (Sender::Minio, "minio:s3", form_encoded(key, "-_.~")),
        // form_urlencoded::byte_serialize.
        (Sender::RustFs, "rustfs:s3", form_encoded(key, "*-._")),
        (Sender::Other, "garage:s3", form_encoded(key, "*-._")),
        (Sender::Ceph, "ceph:s3", key.to_owned()),
        (Sender::EventBridge, "", key.to_owned()),
    ]
}

fn body(sender: Sender, source: &str, key: &str) -> String {
    let object = json!({ "key": key });
    if sender == Sender::EventBridge {
        let detail = json!({ "bucket": { "name": "landing" }, "object": object });
        return json!({ "source": "aws.s3", "detail-type": "Object Created", "detail": detail }).to_string();
    }
    record(source, "ObjectCreated:Put", &object.to_string())
}

fn check(key: &str) -> Result<()> {
    for (sender, source, written) in sent(key) {
        let event = only(&body(sender, source, &written))?;
        assert_eq!((event.sender, event.key.as_str()), (sender, key), "{written}");
        assert_eq!(event.raw_key, (written != key).then_some(written));
    }
    Ok(())
}

#[test]
fn awkward_keys_survive_every_sender() -> Result<()> {
    for key in [
        "a b",
        "a+b",
        "a%2Bb",
        "a%20b",
        "100%",
        "%",
        "%%",
        "%zz",
        "a%2Fb",
        "a/b//c/",
        "/",
        " ",
        "+",
        "é",
        "e\u{301}",
        "日本/😀.png",
        "..",
        "../../etc/passwd",
        "a\\b",
        "a\0b",
        "a\nb\t\u{7f}",
        "\u{202e}gpj.exe",
        "~*'()!;:@&=$,?#[]\"<>^`{|}",
    ] {
        check(key)?;
    }
    Ok(())
}

/// Written by Python 3.11: `urllib.parse.quote_plus(key)`, and with `safe="/"`.
#[test]
fn keys_encoded_by_python_are_decoded() -> Result<()> {
    for (key, encoded, with_slash) in [
        ("raw/a b+é.jpg", "raw%2Fa+b%2B%C3%A9.jpg", "raw/a+b%2B%C3%A9.jpg"),
        ("100%.jpg", "100%25.jpg", "100%25.jpg"),
        ("a=b&c;d~e*f'(g)!", "a%3Db%26c%3Bd~e%2Af%27%28g%29%21", "a%3Db%26c%3Bd~e%2Af%27%28g%29%21"),
        ("日本/😀.png", "%E6%97%A5%E6%9C%AC%2F%F0%9F%98%80.png", "%E6%97%A5%E6%9C%AC/%F0%9F%98%80.png"),
        ("tab\tnul\0.x", "tab%09nul%00.x", "tab%09nul%00.x"),
    ] {
        for sent in [encoded, with_slash] {
            assert_eq!(only(&body(Sender::Aws, "aws:s3", sent))?.key, key);
        }
    }
    Ok(())
}

#[test]
fn a_key_is_decoded_once() -> Result<()> {
    assert_eq!(only(&body(Sender::Aws, "aws:s3", "a%252Bb"))?.key, "a%2Bb");
    Ok(())
}

#[test]
fn small_hexadecimal_digits_and_stray_percent_signs_are_read() -> Result<()> {
    for (sent, key) in
        [("caf%c3%a9", "café"), ("100%", "100%"), ("50%+off", "50% off"), ("%4", "%4"), ("%g0", "%g0")]
    {
        assert_eq!(only(&body(Sender::Aws, "aws:s3", sent))?.key, key);
    }
    Ok(())
}

#[test]
fn a_key_that_is_not_utf8_is_refused() {
    let problem = "the decoded key is not UTF-8".to_owned();
    for sent in ["%ff", "a%C3", "%C3%28", "%ED%A0%80"] {
        let error = Err(ParseError::Record { index: 0, problem: problem.clone() });
        assert_eq!(parse(&body(Sender::Minio, "minio:s3", sent)), error, "{sent}");
        // Raw, these are four harmless characters.
        assert!(parse(&body(Sender::Ceph, "ceph:s3", sent)).is_ok());
    }
}

proptest! {
    #[test]
    fn any_key_survives_every_sender(key in ".{1,60}|[ +%/a-f0-9]{1,30}|\\PC{1,20}") {
        check(&key).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
