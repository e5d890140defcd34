//! Annotation files, whatever their format.

use std::collections::BTreeMap;

use annotations::json_items::{JsonEnd, Root, root};
use annotations::label_studio::{LabelConfig, LabelConfigError};
use annotations::{Format, FrameKind, Record, Refusal, WantedCategory, coco, label_studio};
use serde::Serialize;
use serde_json::Value;
use types::{RejectCode, RejectReason, Sha256};

/// The most records of a part; so many are checked and stored at a time.
const BATCH: usize = 500;
/// About the most regions, points and runs of masks of a part: 16 MB of them, and some more as JSON.
const BATCH_ELEMENTS: usize = 1 << 20;

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

/// A record as it was read.
#[derive(Debug)]
pub(crate) struct ReadRecord {
    /// What we made of it.
    pub(crate) record: Record,
    /// The numbers that the file has, for whoever checks how we read them.
    pub(crate) original: Option<Value>,
}

/// What a file holds, part by part: first the categories, then the records.
#[derive(Debug)]
pub(crate) enum Part {
    /// Every category, in the file's order.
    Categories(Vec<WantedCategory>),
    /// Some of what can be imported: one record of each identity, the readers refuse others.
    Records(Vec<ReadRecord>),
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
    /// The format of a JSON document.
    ///
    /// # Errors
    /// It is neither of those that we read.
    pub(crate) fn format_of(document: &[u8]) -> Result<Format, RejectReason> {
        let refuse = |detail: &str| Err(RejectReason::new(RejectCode::InvalidAnnotations, detail));
        match coco::looks_like(document) {
            Some(coco::Kind::Dataset) => return Ok(Format::Coco),
            Some(coco::Kind::Results) => {
                return refuse("a list of COCO results: it names no images, so it cannot be joined to any");
            }
            None => {}
        }
        if label_studio::looks_like(document) {
            return Ok(Format::LabelStudio);
        }
        match unfinished(document) {
            Some(end) => refuse(&format!("{}: {end}", end.code())),
            None => refuse(
                "JSON that is neither Label Studio's (tasks or annotations) nor COCO's (images and annotations)",
            ),
        }
    }

    /// Reads a document of a known format, and gives its parts to `take` until that says `false`. Of a Label Studio file
    /// a batch of records is in memory at a time, of COCO, where an image's annotations may be anywhere, all of them.
    ///
    /// # Errors
    /// Nothing of it can be read.
    pub(crate) fn read(
        format: Format,
        document: &[u8],
        settings: &ReadSettings,
        take: impl FnMut(Part) -> bool,
    ) -> Result<Self, RejectReason> {
        match format {
            Format::Coco => Self::read_coco(document, settings, take),
            Format::LabelStudio => Ok(Self::read_label_studio(document, settings, take)),
        }
    }

    fn read_coco(
        document: &[u8],
        settings: &ReadSettings,
        mut take: impl FnMut(Part) -> bool,
    ) -> Result<Self, RejectReason> {
        let options = coco::ReadOptions { frame: settings.coco_frame, ..coco::ReadOptions::default() };
        let read = coco::read(document, &options)
            .map_err(|refusal| RejectReason::new(RejectCode::InvalidAnnotations, refusal.to_string()))?;
        let coco::Import { categories, records, refusals, not_kept } = read;
        if take(Part::Categories(categories.clone())) {
            let records = records.into_iter().map(|record| ReadRecord { record, original: None });
            give(records, take);
        }
        Ok(Self { refusals, categories, skipped: not_kept })
    }

    /// Twice: categories have to be known before the first record is checked, and records are too large to be kept.
    fn read_label_studio(
        document: &[u8],
        settings: &ReadSettings,
        mut take: impl FnMut(Part) -> bool,
    ) -> Self {
        let label_config = settings.label_config.as_ref().map(|given| given.parsed.clone());
        let options = label_studio::ReadOptions { label_config, ..label_studio::ReadOptions::default() };
        let mut reader = label_studio::read(document, &options);
        let mut file = Self::default();
        for item in reader.by_ref() {
            match item {
                label_studio::ReadItem::Record(_) => {}
                label_studio::ReadItem::Refused(refusal) => file.refusals.push(refusal),
                label_studio::ReadItem::Skipped(_, why) => {
                    *file.skipped.entry(why.as_str().to_owned()).or_default() += 1;
                }
            }
        }
        file.categories = reader.categories();
        if take(Part::Categories(file.categories.clone())) {
            give(label_studio::read(document, &options).filter_map(ReadRecord::of), take);
        }
        file
    }
}

/// Why not even the first item of a document, or one of its members, can be told from the next.
fn unfinished(document: &[u8]) -> Option<JsonEnd> {
    match root(document) {
        Root::Array(mut items) => items.next()?.err(),
        Root::Object(mut members) => members.find_map(Result::err),
        Root::Other => None,
    }
}

/// Gives records on in parts of bounded size.
fn give(records: impl Iterator<Item = ReadRecord>, mut take: impl FnMut(Part) -> bool) {
    let (mut batch, mut elements) = (Vec::new(), 0);
    for read in records {
        elements += read.record.regions.iter().map(|region| 1 + region.shape.elements()).sum::<usize>();
        batch.push(read);
        if batch.len() >= BATCH || elements >= BATCH_ELEMENTS {
            elements = 0;
            if !take(Part::Records(std::mem::take(&mut batch))) {
                return;
            }
        }
    }
    if !batch.is_empty() {
        take(Part::Records(batch));
    }
}

impl ReadRecord {
    fn of(item: label_studio::ReadItem) -> Option<Self> {
        match item {
            label_studio::ReadItem::Record(found) => {
                let label_studio::Found { record, result } = *found;
                Some(Self { record, original: Some(result) })
            }
            label_studio::ReadItem::Refused(_) | label_studio::ReadItem::Skipped(..) => None,
        }
    }
}
