//! What is read of an annotation file at a time.

use annotations::{Format, Record, WantedCategory, label_studio};
use serde_json::Value;
use tokio::sync::mpsc::Sender;

/// The most records of a part; so many are checked and stored at a time.
const MOST_RECORDS: usize = 500;
/// About the most memory of a part.
const MOST_BYTES: usize = 32 << 20;
/// About what a region takes, with its strings.
const REGION_BYTES: usize = 500;
/// What a point takes, and about what a run of a mask does.
const ELEMENT_BYTES: usize = 16;

/// What a file holds, part by part: first its head, then the records.
#[derive(Debug)]
pub(crate) enum Part {
    /// The format, and every category in the file's order.
    Head(Format, Vec<WantedCategory>),
    /// Some of what can be imported: one record of each identity, the readers refuse others.
    Records(Vec<ReadRecord>),
}

/// A record as it was read.
#[derive(Debug)]
pub(crate) struct ReadRecord {
    /// What we made of it.
    pub(crate) record: Record,
    /// The numbers that the file has, for whoever checks how we read them.
    pub(crate) original: Option<Value>,
}

impl ReadRecord {
    /// The record, if that is what was read.
    pub(crate) fn of(item: label_studio::ReadItem) -> Option<Self> {
        match item {
            label_studio::ReadItem::Record(found) => {
                let label_studio::Found { record, result } = *found;
                Some(Self { record, original: Some(result) })
            }
            label_studio::ReadItem::Refused(_) | label_studio::ReadItem::Skipped(..) => None,
        }
    }

    /// About the bytes that it takes.
    fn bytes(&self) -> usize {
        let regions = &self.record.regions;
        let elements = regions.iter().map(|region| region.shape.elements() + 2 * region.keypoints.len());
        let elements = ELEMENT_BYTES * elements.sum::<usize>();
        REGION_BYTES * (1 + regions.len()) + elements + self.original.as_ref().map_or(0, json_bytes)
    }
}

fn json_bytes(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(json_bytes).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + json_bytes(value)).sum(),
    };
    size_of::<Value>() + inside
}

/// Sends a file's parts until nobody takes them.
pub(crate) fn send(
    format: Format,
    categories: Vec<WantedCategory>,
    records: impl Iterator<Item = ReadRecord>,
    parts: &Sender<Part>,
) {
    let mut taken = parts.blocking_send(Part::Head(format, categories)).is_ok();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for record in records {
        if !taken {
            return;
        }
        bytes += record.bytes();
        batch.push(record);
        if batch.len() >= MOST_RECORDS || bytes >= MOST_BYTES {
            bytes = 0;
            taken = parts.blocking_send(Part::Records(std::mem::take(&mut batch))).is_ok();
        }
    }
    if !batch.is_empty() {
        // Whoever does not take it has said why.
        drop(parts.blocking_send(Part::Records(batch)));
    }
}
