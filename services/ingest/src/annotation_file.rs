//! Annotation files, whatever their format.

use std::collections::BTreeMap;

use annotations::json_items::{JsonEnd, Root, root};
use annotations::label_studio::{LabelConfig, LabelConfigError};
use annotations::{Format, FrameKind, Refusal, WantedCategory, coco, label_studio};
use serde::Serialize;
use tokio::sync::mpsc::Sender;
use types::{RejectCode, RejectReason, Sha256};

use crate::parts::{Part, ReadRecord, send};

/// A file with more mistakes, or more categories, is refused as a whole: it is not what it seems to be, and lists of what
/// is wrong with it are of no use.
const MAX_REFUSALS: usize = 100_000;
const MAX_CATEGORIES: usize = 20_000;

/// How annotation files are read.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReadSettings {
    /// The pixels that COCO files are drawn on; Label Studio's are always those of the displayed image.
    pub coco_frame: FrameKind,
    /// The label configuration of the Label Studio project, if only its controls and labels are to be taken.
    pub label_config: Option<GivenLabelConfig>,
}

/// A label configuration that was given.
#[derive(Debug, Clone, Serialize)]
pub struct GivenLabelConfig {
    /// Of its text.
    pub sha256: Sha256,
    #[serde(skip)]
    parsed: LabelConfig,
}

impl GivenLabelConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(xml: &str) -> Result<Self, LabelConfigError> {
        Ok(Self { sha256: Sha256::of(xml), parsed: LabelConfig::parse(xml)? })
    }
}

/// What a file says beside its records.
#[derive(Debug, Default)]
pub(crate) struct AnnotationFile {
    /// What cannot be imported.
    pub(crate) refusals: Vec<Refusal>,
    /// The categories, in the file's order.
    pub(crate) categories: Vec<WantedCategory>,
    /// What is passed over for what it is, by kind: drafts, cancelled annotations, tasks without one; in COCO, keys that
    /// have no place.
    pub(crate) skipped: BTreeMap<String, u64>,
}

impl AnnotationFile {
    /// Reads a document and sends its parts, until nobody takes them. Of a Label Studio file one part is in memory at a
    /// time; of COCO, where an image's annotations may be anywhere, all of them. Waits: for a thread that may.
    ///
    /// # Errors
    /// Nothing of it can be read, or too much of it cannot.
    pub(crate) fn read(
        document: &[u8],
        settings: &ReadSettings,
        parts: &Sender<Part>,
    ) -> Result<Self, RejectReason> {
        match format_of(document)? {
            Format::Coco => Self::read_coco(document, settings, parts),
            Format::LabelStudio => Self::read_label_studio(document, settings, parts),
        }
    }

    fn read_coco(
        document: &[u8],
        settings: &ReadSettings,
        parts: &Sender<Part>,
    ) -> Result<Self, RejectReason> {
        let options = coco::ReadOptions { frame: settings.coco_frame, ..coco::ReadOptions::default() };
        let read = coco::read(document, &options).map_err(|refusal| refused(&refusal.to_string()))?;
        let coco::Import { categories, records, refusals, not_kept } = read;
        let file = Self { refusals, categories, skipped: not_kept };
        file.check()?;
        let records = records.into_iter().map(|record| ReadRecord { record, original: None });
        send(Format::Coco, file.categories.clone(), records, parts);
        Ok(file)
    }

    /// Twice: categories have to be known before the first record is checked, and records are too large to be kept.
    fn read_label_studio(
        document: &[u8],
        settings: &ReadSettings,
        parts: &Sender<Part>,
    ) -> Result<Self, RejectReason> {
        let label_config = settings.label_config.as_ref().map(|given| given.parsed.clone());
        let options = label_studio::ReadOptions { label_config, ..label_studio::ReadOptions::default() };
        let file = Self::survey(document, &options, parts)?;
        let records = label_studio::read(document, &options).filter_map(ReadRecord::of);
        send(Format::LabelStudio, file.categories.clone(), records, parts);
        Ok(file)
    }

    /// All but the records.
    fn survey(
        document: &[u8],
        options: &label_studio::ReadOptions,
        parts: &Sender<Part>,
    ) -> Result<Self, RejectReason> {
        let mut reader = label_studio::read(document, options);
        let mut file = Self::default();
        while let Some(item) = reader.next().filter(|_| !parts.is_closed()) {
            match item {
                label_studio::ReadItem::Record(_) => {}
                label_studio::ReadItem::Refused(refusal) => {
                    file.refusals.push(refusal);
                    file.check()?;
                }
                label_studio::ReadItem::Skipped(_, why) => {
                    *file.skipped.entry(why.as_str().to_owned()).or_default() += 1;
                }
            }
        }
        file.categories = reader.categories();
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), RejectReason> {
        if self.categories.len() > MAX_CATEGORIES {
            return Err(refused(&format!("more than {MAX_CATEGORIES} categories")));
        }
        match self.refusals.first().filter(|_| self.refusals.len() > MAX_REFUSALS) {
            Some(first) => Err(refused(&format!("more than {MAX_REFUSALS} mistakes, the first: {first}"))),
            None => Ok(()),
        }
    }
}

/// The format of a JSON document.
fn format_of(document: &[u8]) -> Result<Format, RejectReason> {
    match coco::looks_like(document) {
        Some(coco::Kind::Dataset) => return Ok(Format::Coco),
        Some(coco::Kind::Results) => {
            return Err(refused("a list of COCO results: it names no images, so it cannot be joined to any"));
        }
        None => {}
    }
    if label_studio::looks_like(document) {
        return Ok(Format::LabelStudio);
    }
    Err(match unfinished(document) {
        Some(end) => refused(&format!("{}: {end}", end.code())),
        None => refused(
            "JSON that is neither Label Studio's (tasks or annotations) nor COCO's (images and annotations)",
        ),
    })
}

/// Why not even the first item of a document, or one of its members, can be told from the next.
fn unfinished(document: &[u8]) -> Option<JsonEnd> {
    match root(document) {
        Root::Array(mut items) => items.next()?.err(),
        Root::Object(mut members) => members.find_map(Result::err),
        Root::Other => None,
    }
}

fn refused(detail: &str) -> RejectReason {
    RejectReason::new(RejectCode::InvalidAnnotations, detail)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tokio::sync::mpsc;

    use super::*;

    fn task(number: usize, points: usize) -> Value {
        let angle = |step: usize| step as f64 / points as f64 * std::f64::consts::TAU;
        let at = |step| json!([50.0 + 40.0 * f64::cos(angle(step)), 50.0 + 40.0 * f64::sin(angle(step))]);
        let points: Vec<_> = (0..points).map(at).collect();
        let value = json!({ "points": points, "closed": true, "polygonlabels": ["car"] });
        let result = json!([{
            "id": "r", "type": "polygonlabels", "from_name": "label", "to_name": "image",
            "original_width": 1000, "original_height": 500, "value": value,
        }]);
        json!({
            "id": number, "data": { "image": format!("{number}.jpg") },
            "annotations": [{ "id": number, "result": result }],
        })
    }

    /// What reading comes to, and the number of records in each part.
    fn read(document: &Value) -> (Result<AnnotationFile, RejectReason>, Vec<usize>) {
        let (sender, mut parts) = mpsc::channel(1_000);
        let read = AnnotationFile::read(document.to_string().as_bytes(), &ReadSettings::default(), &sender);
        drop(sender);
        let mut records = Vec::new();
        while let Some(part) = parts.blocking_recv() {
            match part {
                Part::Head(format, categories) => {
                    assert_eq!((format, categories.len(), records.len()), (Format::LabelStudio, 1, 0));
                }
                Part::Records(batch) => records.push(batch.len()),
            }
        }
        (read, records)
    }

    #[test]
    fn parts_are_bounded_in_records_and_in_memory() {
        let tasks: Vec<_> = (0..1_100).map(|number| task(number, 3)).collect();
        assert_eq!(read(&json!(tasks)).1, [500, 500, 100]);
        // Each has 40,000 points: as JSON more than 32 bytes for each number and each pair, so nine are beyond 32 MiB.
        let tasks: Vec<_> = (0..12).map(|number| task(number, 40_000)).collect();
        let records = read(&json!(tasks)).1;
        assert_eq!(records.iter().sum::<usize>(), 12);
        assert!(records.len() > 1 && records.iter().all(|count| *count <= 9), "{records:?}");
    }

    #[test]
    fn a_file_of_mistakes_is_refused_as_a_whole() {
        let with = |mistakes: usize| json!([vec![task(1, 3)], vec![json!(1); mistakes]].concat());
        let (few, records) = read(&with(MAX_REFUSALS));
        assert_eq!((few.map(|file| file.refusals.len()), records), (Ok(MAX_REFUSALS), vec![1]));
        let (many, records) = read(&with(MAX_REFUSALS + 1));
        let reason = many.expect_err("refused");
        assert!(reason.detail.starts_with("more than 100000 mistakes, the first: "), "{reason}");
        assert_eq!(records, [0; 0], "nothing is stored");
    }
}
