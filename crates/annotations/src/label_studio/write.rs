//! Records as tasks.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::annotation::Body;
use super::entries::{entries, relations};
use super::{CARRIED, IMAGE, ReadOptions};
use crate::header::Header;
use crate::{FrameKind, Item, Origin, Provenance, Record, Refusal, RefusalCode, Region};

/// What is known of one image.
#[derive(Debug, Clone)]
pub struct Task<'a> {
    /// The image, as Label Studio is to find it.
    pub image: &'a str,
    /// Its records, in pixels of the image as it is displayed; those of models become predictions.
    pub records: Vec<&'a Record>,
    /// What else is in the task's `data`: ids, URIs. [`IMAGE`] is taken.
    pub data: Map<String, Value>,
}

/// A Label Studio file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file: equal tasks give equal bytes.
    pub json: Vec<u8>,
    /// How many annotations it has.
    pub annotations: usize,
    /// How many predictions.
    pub predictions: usize,
    /// How many regions carry what Label Studio has no place for.
    pub carried: usize,
}

/// Writes tasks, in the order given. Their ids and those of annotations are kept if all records come from Label Studio
/// and no two are equal; else they are numbered from 1.
///
/// # Errors
/// A region cannot be said in percent of an image: its record has no frame ([`RefusalCode::NoSize`]), one in stored
/// pixels ([`RefusalCode::SizeMismatch`]), or of another size than its mask ([`RefusalCode::SizeConflict`]). Or it has
/// no label ([`RefusalCode::NoLabel`]).
pub fn write(tasks: &[Task<'_>]) -> Result<Written, Box<Refusal>> {
    let mut writer = Writer { kept: Kept::of(tasks), annotations: 0, predictions: 0, carried: 0 };
    let mut lines = Vec::with_capacity(tasks.len());
    for (index, task) in tasks.iter().enumerate() {
        lines.push(writer.task(index, task)?.to_string());
    }
    let Writer { annotations, predictions, carried, .. } = writer;
    Ok(Written {
        json: format!("[\n{}\n]\n", lines.join(",\n")).into_bytes(),
        annotations,
        predictions,
        carried,
    })
}

/// Which ids are those of the records.
struct Kept {
    tasks: bool,
    annotations: bool,
    predictions: bool,
}

impl Kept {
    fn of(tasks: &[Task<'_>]) -> Self {
        let records = |wanted: bool| {
            let all = tasks.iter().flat_map(|task| &task.records);
            all.filter(move |record| is_prediction(record) == wanted)
                .map(|record| ids(record).map(|(_, id)| id))
        };
        Self {
            tasks: unique(tasks.iter().map(task_id)),
            annotations: unique(records(false)),
            predictions: unique(records(true)),
        }
    }
}

fn unique(ids: impl Iterator<Item = Option<i64>>) -> bool {
    let mut known = HashSet::new();
    ids.into_iter().all(|id| id.is_some_and(|id| id != 0 && known.insert(id)))
}

fn is_prediction(record: &Record) -> bool {
    matches!(record.origin, Origin::Model { .. })
}

/// Task and annotation.
fn ids(record: &Record) -> Option<(i64, i64)> {
    match record.provenance {
        Provenance::LabelStudio { task_id, annotation_id, .. } => Some((task_id, annotation_id)),
        Provenance::Coco { .. } => None,
    }
}

/// The task that all records are of.
fn task_id(task: &Task<'_>) -> Option<i64> {
    let mut found = task.records.iter().map(|record| ids(record).map(|(task, _)| task));
    let first = found.next()??;
    found.all(|other| other == Some(first)).then_some(first)
}

struct Writer {
    kept: Kept,
    annotations: usize,
    predictions: usize,
    carried: usize,
}

impl Writer {
    fn task(&mut self, index: usize, task: &Task<'_>) -> Result<Value, Box<Refusal>> {
        let id = task_id(task).filter(|_| self.kept.tasks).unwrap_or(index as i64 + 1);
        let mut data = task.data.clone();
        data.insert(IMAGE.to_owned(), json!(task.image));
        let item = Item { task_id: Some(id), ..Item::default() };
        let (mut annotations, mut predictions) = (Vec::new(), Vec::new());
        for record in &task.records {
            let mut written = self.annotation(record)?;
            // What a reader would not see by itself is carried.
            let options = ReadOptions::default();
            let body =
                Body { item: &item, data: &data, is_prediction: is_prediction(record), options: &options };
            let header = Header::of(record);
            let frame = record.frame.filter(|_| !record.regions.is_empty());
            let result = written.get("result").cloned().unwrap_or_default();
            if !body.header(&written, &result).is_ok_and(|read| Header { frame, ..read } == header) {
                written.insert(
                    CARRIED.to_owned(),
                    serde_json::to_value(header).expect("maps have text as keys"),
                );
            }
            let list = if is_prediction(record) { &mut predictions } else { &mut annotations };
            list.push(Value::Object(written));
        }
        Ok(json!({"id": id, "data": data, "annotations": annotations, "predictions": predictions}))
    }

    fn annotation(&mut self, record: &Record) -> Result<Map<String, Value>, Box<Refusal>> {
        let result = self.result(record)?;
        let own_id = ids(record).map(|(_, id)| id);
        let (count, kept) = match record.origin {
            Origin::Human { .. } => (&mut self.annotations, self.kept.annotations),
            Origin::Model { .. } => (&mut self.predictions, self.kept.predictions),
        };
        *count += 1;
        let unique_id = match &record.provenance {
            Provenance::LabelStudio { unique_id, .. } => unique_id.clone(),
            Provenance::Coco { .. } => None,
        };
        let id = own_id.filter(|_| kept).unwrap_or(*count as i64);
        let members = [
            ("id", Some(json!(id))),
            ("result", Some(Value::Array(result))),
            ("unique_id", unique_id.map(Value::from)),
            ("created_at", record.created_at.clone().map(Value::from)),
            ("updated_at", record.updated_at.clone().map(Value::from)),
        ];
        let members = members.into_iter().chain(made_by(record));
        Ok(members.filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
    }

    fn result(&mut self, record: &Record) -> Result<Vec<Value>, Box<Refusal>> {
        let refuse = |region: Option<&Region>, (code, detail): (RefusalCode, String)| {
            let region_id = region.map(|region| region.id.clone());
            Box::new(Refusal { item: Item { region_id, ..record.item() }, code, detail })
        };
        if record.frame.is_some_and(|frame| frame.kind == FrameKind::Stored) {
            let detail = "the record is in stored pixels, Label Studio shows the displayed image".to_owned();
            return Err(refuse(None, (RefusalCode::SizeMismatch, detail)));
        }
        let ids = record.regions.iter().map(|region| region.id.as_str()).collect();
        let mut result = Vec::new();
        for region in &record.regions {
            let written =
                entries(region, record.frame, &ids).map_err(|problem| refuse(Some(region), problem))?;
            self.carried += usize::from(written.carried);
            result.extend(written.entries);
        }
        result.extend(record.regions.iter().flat_map(|region| relations(region, &ids)));
        Ok(result)
    }
}

fn made_by(record: &Record) -> [(&'static str, Option<Value>); 3] {
    match &record.origin {
        Origin::Human { annotator } => [
            ("completed_by", annotator.as_deref().map(completed_by)),
            ("was_cancelled", Some(json!(false))),
            ("ground_truth", Some(json!(record.ground_truth))),
        ],
        Origin::Model { version } => [
            ("model_version", Some(json!(version))),
            ("score", record.score.map(Value::from)),
            ("ground_truth", record.ground_truth.then_some(json!(true))),
        ],
    }
}

/// An id as it was, everything else as an e-mail address.
fn completed_by(annotator: &str) -> Value {
    match annotator.parse::<i64>() {
        Ok(id) if id.to_string() == annotator => json!(id),
        _ => json!({"email": annotator}),
    }
}
