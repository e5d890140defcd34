//! One entry of `images`, and what becomes of it.

use std::collections::BTreeMap;

use super::carried::{CarriedImage, CarriedRecord};
use super::fields::{Fields, Problem, malformed, salvage};
use super::{CARRIED, ReadOptions};
use crate::{Frame, Item, Origin, Provenance, Record, RecordId, Refusal, RefusalCode, Region};

/// An image while its annotations are read.
pub(super) struct Image {
    pub(super) item: Item,
    /// `None` if something is wrong with the entry itself.
    pub(super) frame: Option<Frame>,
    /// How many annotations were found, also refused ones.
    pub(super) annotations: usize,
    pub(super) regions: Vec<Region>,
    pub(super) refusals: Vec<Refusal>,
    carried: Option<CarriedRecord>,
}

impl Image {
    pub(super) fn read(
        index: usize,
        text: &[u8],
        options: &ReadOptions,
        not_kept: &mut BTreeMap<String, u64>,
    ) -> Self {
        let item = Item { index: Some(index as u64), image_id: salvage(text, "id"), ..Item::default() };
        let mut image = Self {
            item,
            frame: None,
            annotations: 0,
            regions: Vec::new(),
            refusals: Vec::new(),
            carried: None,
        };
        match Fields::parse(text) {
            Ok(fields) => image.fill(fields, options, not_kept),
            Err((code, detail)) => image.refuse(code, detail),
        }
        image
    }

    /// Adds a refusal of the image itself.
    pub(super) fn refuse(&mut self, code: RefusalCode, detail: impl Into<String>) {
        self.refusals.push(Refusal { item: self.item.clone(), code, detail: detail.into() });
    }

    /// The record, if nothing is wrong with it.
    pub(super) fn into_record(self) -> Result<Record, Vec<Refusal>> {
        match (self.frame, self.item.image, self.item.image_id) {
            (Some(frame), Some(name), Some(image_id)) if self.refusals.is_empty() => {
                let mut record = match self.carried {
                    Some(carried) => carried.into_record(frame),
                    None => new_record(name, image_id, frame),
                };
                record.regions.splice(0..0, self.regions);
                Ok(record)
            }
            _ => Err(self.refusals),
        }
    }

    /// Which record it will be.
    pub(super) fn record_id(&self) -> Option<RecordId> {
        match (&self.carried, &self.item.image) {
            (Some(carried), _) => Some(carried.header.id.clone()),
            (None, Some(name)) => Some(RecordId::of(&identity(name))),
            (None, None) => None,
        }
    }

    fn fill(&mut self, mut fields: Fields, options: &ReadOptions, not_kept: &mut BTreeMap<String, u64>) {
        let mut noted = |result: Result<(), Problem>, item: &Item| {
            if let Err((code, detail)) = result {
                self.refusals.push(Refusal { item: item.clone(), code, detail });
            }
        };
        let name = fields.text("file_name");
        if let Ok(name) = &name {
            self.item.image = name.clone().filter(|name| !name.is_empty());
        }
        let id = fields.integer("id");
        self.item.image_id = id.as_ref().ok().copied().flatten();
        let (frame, carried) = (frame(&mut fields, options), carried(&mut fields));
        noted(name.map(drop), &self.item);
        noted(
            id.and_then(|id| id.map(drop).map_or_else(|| malformed("the image has no id"), Ok)),
            &self.item,
        );
        if self.item.image.is_none() {
            noted(Err((RefusalCode::NoImage, "the image has no `file_name`".to_owned())), &self.item);
        }
        match frame {
            Ok(frame) => self.frame = Some(frame),
            Err(problem) => noted(Err(problem), &self.item),
        }
        match carried {
            Ok(carried) => self.carried = carried,
            Err(problem) => noted(Err(problem), &self.item),
        }
        for key in fields.rest().keys() {
            *not_kept.entry(format!("images.{key}")).or_default() += 1;
        }
    }
}

fn frame(fields: &mut Fields, options: &ReadOptions) -> Result<Frame, Problem> {
    let mut side = |name: &str| match fields.integer(name)? {
        None => Err((RefusalCode::NoSize, format!("the image has no `{name}`"))),
        Some(side) => match u32::try_from(side) {
            Ok(side) if side > 0 => Ok(side),
            _ => Err((RefusalCode::NoSize, format!("the image's `{name}` is {side}"))),
        },
    };
    Ok(Frame { width: side("width")?, height: side("height")?, kind: options.frame })
}

fn carried(fields: &mut Fields) -> Result<Option<CarriedRecord>, Problem> {
    let Some(value) = fields.take(CARRIED) else { return Ok(None) };
    let carried = serde_json::from_value(value).map(|CarriedImage { record, .. }| Some(record));
    carried.or_else(|error| malformed(format!("`{CARRIED}`: {error}")))
}

/// What other tools' files say is by people, whom they do not name.
const ORIGIN: Origin = Origin::Human { annotator: None };

fn identity(name: &str) -> String {
    Provenance::Coco { image_id: 0 }.identity(&ORIGIN, name)
}

fn new_record(name: String, image_id: i64, frame: Frame) -> Record {
    Record {
        id: RecordId::of(&identity(&name)),
        image: name,
        frame: Some(frame),
        origin: ORIGIN,
        provenance: Provenance::Coco { image_id },
        created_at: None,
        updated_at: None,
        ground_truth: false,
        score: None,
        regions: Vec::new(),
    }
}
