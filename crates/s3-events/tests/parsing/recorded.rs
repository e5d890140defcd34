//! Bodies recorded from a running RustFS, where they lie beside the repository.

use anyhow::{Context, Result};
use s3_events::{EventKind, Sender};
use serde_json::Value;

use crate::only;

#[test]
fn recorded_deliveries_of_rustfs_are_read() -> Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/events/rustfs-1.0.1-webhook.jsonl");
    let Ok(lines) = std::fs::read_to_string(path) else {
        eprintln!("SKIPPED recorded_deliveries_of_rustfs_are_read: no {path}");
        return Ok(());
    };
    let mut events = Vec::new();
    for line in lines.lines() {
        let delivery: Value = serde_json::from_str(line)?;
        events.push(only(&delivery.get("body").context("no body")?.to_string())?);
    }
    assert!(events.iter().all(|event| event.sender == Sender::RustFs && event.bucket == "landing"));
    let told: Vec<_> = events.iter().map(|event| (event.kind, event.key.as_str(), event.bytes)).collect();
    assert_eq!(
        told,
        [
            (EventKind::Created, "raw/a b+é.jpg", Some(1000)),
            (EventKind::Created, "raw/big.bin", Some(20_000_000)),
            (EventKind::Removed, "raw/big.bin", None),
        ]
    );
    let [_, put, delete] = events.as_slice() else { anyhow::bail!("not three events") };
    assert_eq!(put.cmp_sequence(delete), Some(std::cmp::Ordering::Less));
    Ok(())
}
