//! Records as a COCO file.

use serde::Serialize;
use serde_json::{Map, Value};

use super::carried::{CarriedImage, CarriedRecord, CarriedRegion, Derived};
use super::form::{Form, Segmentation};
use super::{CARRIED, EXTRA_KEYS};
use crate::{Bounds, Category, Item, Provenance, Record, Refusal, RefusalCode, Region, Registry, Visibility};

/// A record to be written, in the pixels of the image that it is written for.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The record.
    pub record: &'a Record,
    /// The image's name in the file.
    pub file_name: &'a str,
    /// The image's width and height.
    pub size: (u32, u32),
    /// What else is known of the image, written under [`CARRIED`]: ids, URIs. `record` is taken.
    pub identity: Map<String, Value>,
}

/// A COCO file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file: equal entries give equal bytes.
    pub json: Vec<u8>,
    /// How many annotations it has.
    pub annotations: usize,
    /// How many regions are only under [`CARRIED`], since COCO has no form for them.
    pub carried: usize,
}

/// Writes records, in the order given, with every category of the registry.
///
/// # Errors
/// [`RefusalCode::UnknownLabel`] if a label is not in the registry.
pub fn write(entries: &[Entry<'_>], registry: &Registry) -> Result<Written, Box<Refusal>> {
    let mut numbers = Numbers::new(entries);
    let (mut images, mut annotations, mut carried) = (List::new("images"), List::new("annotations"), 0);
    for entry in entries {
        let image_id = numbers.image(entry.record);
        let mut kept_aside = Vec::new();
        for region in &entry.record.regions {
            match Form::of(&region.shape, entry.size) {
                None => kept_aside.push(region.clone()),
                Some(form) => {
                    for label in &region.labels {
                        let category =
                            registry.get(label).ok_or_else(|| unknown(entry.record, region, label))?;
                        let id = numbers.annotation(region);
                        annotations.add(&annotation(region, category, &form, entry.size, [id, image_id]));
                    }
                }
            }
        }
        carried += kept_aside.len();
        images.add(&image(entry, image_id, kept_aside));
    }
    let mut categories = List::new("categories");
    registry.by_id().into_iter().for_each(|category| categories.add(category));
    let count = annotations.items;
    let json = ["{", &images.end(), ",\n", &annotations.end(), ",\n", &categories.end(), "}\n"].concat();
    Ok(Written { json: json.into_bytes(), annotations: count, carried })
}

fn unknown(record: &Record, region: &Region, label: &str) -> Box<Refusal> {
    let item = Item { region_id: Some(region.id.clone()), ..record.item() };
    let detail = format!("there is no category {label:?}");
    Box::new(Refusal { item, code: RefusalCode::UnknownLabel, detail })
}

/// A list as it grows, an item on each line.
struct List {
    text: String,
    items: usize,
}

impl List {
    fn new(name: &str) -> Self {
        Self { text: format!("\"{name}\":["), items: 0 }
    }

    fn add(&mut self, item: &impl Serialize) {
        self.text.push_str(if self.items == 0 { "\n" } else { ",\n" });
        self.text.push_str(&serde_json::to_string(item).expect("maps have text as keys"));
        self.items += 1;
    }

    fn end(mut self) -> String {
        self.text.push_str("\n]");
        self.text
    }
}

/// The ids of images and annotations.
struct Numbers {
    kept: bool,
    images: i64,
    annotations: i64,
}

impl Numbers {
    /// Ids are kept if all records come from COCO and no two are equal.
    fn new(entries: &[Entry<'_>]) -> Self {
        let mut images: Vec<_> = entries.iter().map(|entry| source_id(entry.record)).collect();
        let regions = entries.iter().flat_map(|entry| &entry.record.regions);
        let mut annotations: Vec<_> =
            regions.map(|region| decimal(region).filter(|_| region.labels.len() == 1)).collect();
        let kept = unique(&mut images) && unique(&mut annotations);
        Self { kept, images: 0, annotations: 0 }
    }

    fn image(&mut self, record: &Record) -> i64 {
        self.images += 1;
        source_id(record).filter(|_| self.kept).unwrap_or(self.images)
    }

    fn annotation(&mut self, region: &Region) -> i64 {
        self.annotations += 1;
        decimal(region).filter(|_| self.kept).unwrap_or(self.annotations)
    }
}

fn unique(ids: &mut Vec<Option<i64>>) -> bool {
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    ids.len() == count && ids.iter().all(Option::is_some)
}

fn source_id(record: &Record) -> Option<i64> {
    match record.provenance {
        Provenance::Coco { image_id } => Some(image_id),
        Provenance::LabelStudio { .. } => None,
    }
}

/// The number that a region's id is, if it is written as we would write it.
fn decimal(region: &Region) -> Option<i64> {
    region.id.parse().ok().filter(|number: &i64| number.to_string() == region.id)
}

#[derive(Serialize)]
struct WrittenImage<'a> {
    id: i64,
    file_name: &'a str,
    width: u32,
    height: u32,
    #[serde(rename = "imageml")]
    carried: CarriedImage,
}

fn image<'a>(entry: &Entry<'a>, id: i64, kept_aside: Vec<Region>) -> WrittenImage<'a> {
    let mut identity = entry.identity.clone();
    identity.remove("record");
    let carried = CarriedImage { record: CarriedRecord::of(entry.record, kept_aside), identity };
    let (width, height) = entry.size;
    WrittenImage { id, file_name: entry.file_name, width, height, carried }
}

#[derive(Serialize)]
struct WrittenAnnotation<'a> {
    id: i64,
    image_id: i64,
    category_id: u32,
    bbox: [f64; 4],
    segmentation: &'a Segmentation,
    area: f64,
    iscrowd: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keypoints: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_keypoints: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    attributes: Map<String, Value>,
    #[serde(flatten)]
    extra: Map<String, Value>,
    #[serde(rename = "imageml", skip_serializing_if = "Option::is_none")]
    carried: Option<CarriedRegion>,
}

/// The keys that [`WrittenAnnotation`] has itself.
const OWN_KEYS: [&str; 11] = [
    "id",
    "image_id",
    "category_id",
    "bbox",
    "segmentation",
    "area",
    "iscrowd",
    "keypoints",
    "num_keypoints",
    "score",
    CARRIED,
];

fn annotation<'a>(
    region: &Region,
    category: &Category,
    form: &'a Form,
    size: (u32, u32),
    [id, image_id]: [i64; 2],
) -> WrittenAnnotation<'a> {
    let (mut attributes, extra) = split(&region.attributes);
    let named = region.keypoints.len() == category.definition.keypoints.len();
    let mut carried = carried(region, form, size, id);
    if !named {
        carried.keypoints.clone_from(&region.keypoints);
    }
    if region.labels.len() > 1 && !attributes.contains_key("region_id") && !extra.contains_key("attributes") {
        attributes.insert("region_id".to_owned(), Value::from(region.id.clone()));
        carried.derived.push(Derived::RegionId);
    }
    let keypoints = if named { region.keypoints.as_slice() } else { &[] };
    let triple = |visibility: Visibility| f64::from(u8::from(visibility));
    let seen = keypoints.iter().filter(|keypoint| keypoint.visibility != Visibility::Absent).count();
    let Bounds { x, y, width, height } = region.bounds.unwrap_or(form.bbox);
    WrittenAnnotation {
        id,
        image_id,
        category_id: category.id,
        bbox: [x, y, width, height],
        segmentation: &form.segmentation,
        area: region.area.unwrap_or(form.area),
        iscrowd: u8::from(region.crowd),
        keypoints: keypoints
            .iter()
            .flat_map(|point| [point.at.x, point.at.y, triple(point.visibility)])
            .collect(),
        num_keypoints: (!keypoints.is_empty()).then_some(seen),
        score: region.score,
        attributes,
        extra,
        carried: (carried != CarriedRegion::default()).then_some(carried),
    }
}

/// What COCO's keys do not say of a region.
fn carried(region: &Region, form: &Form, size: (u32, u32), id: i64) -> CarriedRegion {
    let as_read = form.as_read(size);
    // A box is its own bounding box.
    let says_bbox = region.bounds.is_some() || matches!(as_read, Some((_, None)));
    let derived = [(Derived::Bbox, says_bbox), (Derived::Area, region.area.is_some())];
    CarriedRegion {
        region_id: (region.id != id.to_string()).then(|| region.id.clone()),
        shape: as_read.is_none_or(|(shape, _)| shape != region.shape).then(|| region.shape.clone()),
        keypoints: Vec::new(),
        derived: derived.into_iter().filter(|(_, said)| !said).map(|(what, _)| what).collect(),
        drawn: region.drawn,
        parent: region.parent.clone(),
        control: region.control.clone(),
    }
}

/// The attributes, and the keys that COCO does not define.
fn split(attributes: &Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let mut attributes = attributes.clone();
    // An object under `attributes` would be read as attributes.
    let free = |(key, value): (&String, &Value), rest: usize| {
        let taken = OWN_KEYS.contains(&key.as_str()) || value.is_null();
        !taken && (key != "attributes" || (rest == 0 && !value.is_object()))
    };
    let fits = |extra: &Map<String, Value>, rest: usize| extra.iter().all(|member| free(member, rest));
    match attributes.remove(EXTRA_KEYS) {
        Some(Value::Object(extra)) if !extra.is_empty() && fits(&extra, attributes.len()) => {
            (attributes, extra)
        }
        Some(other) => {
            attributes.insert(EXTRA_KEYS.to_owned(), other);
            (attributes, Map::new())
        }
        None => (attributes, Map::new()),
    }
}
