//! What is said of the images of a dataset: records are joined to images, and one record is chosen for each image.

use std::collections::{BTreeMap, HashMap, HashSet};

use annotations::{
    ImageIndex, JoinRule, Provenance, Record, RecordId, Refusal, RefusalCode, Registry, SetAside, select,
};
use manifest_store::{AnnotationLink, ImportRecord, ManifestStore, StoreError, StoredAnnotation};
use staging::ItemName;
use types::{DatasetName, ImageId, ObjectVersion, Orientation, S3Uri, Sha256, StageName};

const PAGE: u32 = 5_000;

/// The annotations of a dataset, as a version planned now would have them.
#[derive(Debug, Default)]
pub struct DatasetAnnotations {
    /// The record that is used, for each image that people have looked at; in pixels of the image as it is displayed.
    pub used: HashMap<ImageId, Record>,
    /// Records that are not used, each with the key of its image and why.
    pub set_aside: Vec<(Record, String, SetAside)>,
    /// Records that fit no image, or several, or one of another size.
    pub refused: Vec<Refusal>,
    /// How many records were joined by each rule.
    pub joined_by: BTreeMap<JoinRule, u64>,
    /// Which image each joined record is about.
    pub links: Vec<AnnotationLink>,
    /// The categories of the dataset.
    pub categories: Registry,
    /// How many records of each import count: not those of which a later import says something else.
    pub in_use: HashMap<Sha256, u64>,
}

/// What joining has to know of an original.
struct Image {
    key: String,
    id: ImageId,
    bronze: S3Uri,
    source: ObjectVersion,
    orientation: Orientation,
    size: (u32, u32),
    records: Vec<Record>,
}

impl DatasetAnnotations {
    /// Reads the records that count, and the catalogue if there are any, and joins them. Holds all of both in memory:
    /// about a KiB for each.
    ///
    /// # Errors
    /// The manifest store failed.
    pub async fn load(store: &dyn ManifestStore, dataset: &DatasetName) -> Result<Self, StoreError> {
        let records = records(store, dataset).await?;
        let categories = store.categories(dataset).await?;
        let mut all = Self { categories, ..Self::default() };
        if records.is_empty() {
            return Ok(all);
        }
        for stored in &records {
            *all.in_use.entry(stored.import_id).or_default() += 1;
        }
        let mut images = images(store, dataset).await?;
        let mut join = Join::new(&images);
        let mut lost = join.place_all(records);
        lost.extend(join.refuse_mirrored());
        let active = if lost.is_empty() { HashSet::new() } else { active(store, dataset).await? };
        for Lost { import_id, record, mut refusal } in lost {
            // A file that cannot be placed, such as one that calls pictures by other names, does not take the place of
            // one that can.
            if active.len() > 1 {
                let history = store.annotation_history(dataset, &record).await?;
                let others = history
                    .iter()
                    .filter(|other| other.import_id != import_id && active.contains(&other.import_id));
                if let Some(placed) = others.filter_map(|other| join.place(other).ok()).next() {
                    refusal.detail += "; what an earlier file says of it is used";
                    join.placed.push(placed);
                }
            }
            all.refused.push(*refusal);
        }
        for Placed { image, rule, record, .. } in join.placed {
            *all.joined_by.entry(rule).or_default() += 1;
            let image = &mut images[image];
            all.links.push(image.link(&record.id));
            image.records.push(record);
        }
        all.choose(images);
        Ok(all)
    }

    /// Chooses a record for each image; `images` are by key, so exact duplicates are in their order.
    fn choose(&mut self, images: Vec<Image>) {
        let mut duplicates: BTreeMap<ImageId, Vec<Image>> = BTreeMap::new();
        for image in images {
            duplicates.entry(image.id).or_default().push(image);
        }
        for (id, copies) in duplicates {
            let records: Vec<Vec<&Record>> =
                copies.iter().map(|image| image.records.iter().collect()).collect();
            let selection = select(&records);
            if let Some(used) = selection.used {
                self.used.insert(id, used.clone());
            }
            for (record, why) in selection.set_aside {
                let image = copies.iter().find(|image| image.records.iter().any(|one| one.id == record.id));
                let key = image.map_or_else(String::new, |image| image.key.clone());
                self.set_aside.push((record.clone(), key, why));
            }
        }
    }
}

/// A record that has found its image.
struct Placed {
    import_id: Sha256,
    /// Which of the images.
    image: usize,
    rule: JoinRule,
    /// In pixels of the image as it is displayed.
    record: Record,
}

/// A record that has not.
struct Lost {
    import_id: Sha256,
    record: RecordId,
    refusal: Box<Refusal>,
}

/// Records on their way to images.
struct Join<'a> {
    images: &'a [Image],
    index: ImageIndex,
    placed: Vec<Placed>,
    /// COCO files of which an image shows that they are drawn on stored pixels, though they were not said to be.
    stored_frames: HashSet<Sha256>,
}

impl<'a> Join<'a> {
    fn new(images: &'a [Image]) -> Self {
        let mut index = ImageIndex::default();
        for (number, image) in images.iter().enumerate() {
            index.add(number, &image.key, &image.source.uri, &image.bronze);
        }
        Self { images, index, placed: Vec::new(), stored_frames: HashSet::new() }
    }

    /// Gives each record to its image; those that have none.
    fn place_all(&mut self, records: Vec<StoredAnnotation>) -> Vec<Lost> {
        let mut lost = Vec::new();
        for stored in records {
            match self.place(&stored) {
                Ok(placed) => self.placed.push(placed),
                Err(refusal) => {
                    lost.push(Lost { import_id: stored.import_id, record: stored.record.id, refusal });
                }
            }
        }
        lost
    }

    fn place(&mut self, stored: &StoredAnnotation) -> Result<Placed, Box<Refusal>> {
        let StoredAnnotation { import_id, record } = stored;
        let (number, rule) = self.index.find(&record.image).map_err(|code| {
            let detail = format!("no single image of the dataset is {:?}", record.image);
            Box::new(Refusal { item: record.item(), code, detail })
        })?;
        let image = &self.images[number];
        let displayed = record.to_displayed(image.orientation, image.size);
        let (width, height) = image.size;
        let turned = record.frame.is_some_and(|frame| (frame.width, frame.height) == (height, width));
        if displayed.is_err() && turned && image.orientation.swaps_sides() && is_coco(record) {
            self.stored_frames.insert(*import_id);
        }
        Ok(Placed { import_id: *import_id, image: number, rule, record: displayed? })
    }

    /// Mirroring and half turns leave the sides as they are, so that nothing is to be seen of a wrong frame. But where
    /// another image of the same file shows it, these are not believed either.
    fn refuse_mirrored(&mut self) -> Vec<Lost> {
        let doubtful = |placed: &Placed| {
            let orientation = self.images[placed.image].orientation;
            let mirrored = orientation != Orientation::Upright && !orientation.swaps_sides();
            mirrored && is_coco(&placed.record) && self.stored_frames.contains(&placed.import_id)
        };
        let (doubted, placed): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.placed).into_iter().partition(doubtful);
        self.placed = placed;
        let refuse = |Placed { import_id, record, .. }: Placed| {
            let detail = "other images of this file are drawn on stored pixels, and this one is mirrored or turned by \
                          180 degrees: import the file with --coco-frame stored";
            let (item, detail) = (record.item(), detail.to_owned());
            let refusal = Box::new(Refusal { item, code: RefusalCode::SizeMismatch, detail });
            Lost { import_id, record: record.id, refusal }
        };
        doubted.into_iter().map(refuse).collect()
    }
}

fn is_coco(record: &Record) -> bool {
    matches!(record.provenance, Provenance::Coco { .. })
}

impl Image {
    fn link(&self, record: &RecordId) -> AnnotationLink {
        AnnotationLink {
            record_id: record.clone(),
            image_key: self.key.clone(),
            image_uri: self.bronze.clone(),
            // Where ingest had it on NVMe when it looked at it.
            staged_path: format!("input/{}", ItemName::new(StageName::Ingest, &self.source)),
        }
    }
}

async fn records(
    store: &dyn ManifestStore,
    dataset: &DatasetName,
) -> Result<Vec<StoredAnnotation>, StoreError> {
    let mut records: Vec<StoredAnnotation> = Vec::new();
    loop {
        let after = records.last().map(|stored| stored.record.id.clone());
        let page = store.annotations(dataset, after.as_ref(), PAGE).await?;
        if page.is_empty() {
            return Ok(records);
        }
        records.extend(page);
    }
}

/// Every published import of a dataset, oldest first.
///
/// # Errors
/// The manifest store failed.
pub async fn annotation_imports(
    store: &dyn ManifestStore,
    dataset: &DatasetName,
) -> Result<Vec<ImportRecord>, StoreError> {
    let mut imports: Vec<ImportRecord> = Vec::new();
    loop {
        let after = imports.last().map(|last| last.sequence);
        let page = store.annotation_imports(dataset, after, PAGE).await?;
        if page.is_empty() {
            return Ok(imports);
        }
        imports.extend(page);
    }
}

/// The imports that count.
async fn active(store: &dyn ManifestStore, dataset: &DatasetName) -> Result<HashSet<Sha256>, StoreError> {
    let imports = annotation_imports(store, dataset).await?.into_iter();
    Ok(imports.filter(|import| import.active).map(|import| import.import.id).collect())
}

async fn images(store: &dyn ManifestStore, dataset: &DatasetName) -> Result<Vec<Image>, StoreError> {
    let mut images: Vec<Image> = Vec::new();
    loop {
        let after = images.last().map(|image| image.key.clone());
        let page = store.originals(dataset, after.as_deref(), PAGE).await?;
        if page.is_empty() {
            return Ok(images);
        }
        images.extend(page.into_iter().map(|original| Image {
            key: original.key,
            id: original.image_id,
            bronze: original.bronze_uri,
            source: original.source,
            orientation: original.orientation,
            size: (original.width, original.height),
            records: Vec::new(),
        }));
    }
}
