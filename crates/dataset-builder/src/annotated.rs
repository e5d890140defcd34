//! What is said of the images of a dataset: records are joined to images, and one record is chosen for each image.

use std::collections::{BTreeMap, HashMap};

use annotations::{ImageIndex, JoinRule, Record, RecordId, Refusal, Registry, SetAside, select};
use manifest_store::{AnnotationLink, ManifestStore, StoreError};
use staging::ItemName;
use types::{DatasetName, ImageId, ObjectVersion, Orientation, S3Uri, StageName};

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
        let mut images = images(store, dataset).await?;
        all.join(records, &mut images);
        all.choose(images);
        Ok(all)
    }

    /// Gives each record to its image.
    fn join(&mut self, records: Vec<Record>, images: &mut [Image]) {
        let mut index = ImageIndex::default();
        for (number, image) in images.iter().enumerate() {
            index.add(number, &image.key, &image.source.uri, &image.bronze);
        }
        for record in records {
            let item = record.item();
            let found = index.find(&record.image).map_err(|code| {
                let detail = format!("no single image of the dataset is {:?}", record.image);
                Box::new(Refusal { item, code, detail })
            });
            let placed = found.and_then(|(number, rule)| {
                let image = &mut images[number];
                let record = record.to_displayed(image.orientation, image.size)?;
                self.links.push(image.link(&record.id));
                image.records.push(record);
                Ok(rule)
            });
            match placed {
                Ok(rule) => *self.joined_by.entry(rule).or_default() += 1,
                Err(refusal) => self.refused.push(*refusal),
            }
        }
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

async fn records(store: &dyn ManifestStore, dataset: &DatasetName) -> Result<Vec<Record>, StoreError> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let after = records.last().map(|record| record.id.clone());
        let page = store.annotations(dataset, after.as_ref(), PAGE).await?;
        if page.is_empty() {
            return Ok(records);
        }
        records.extend(page.into_iter().map(|stored| stored.record));
    }
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
