//! What people and models said of images, file by file.

use std::fmt::Debug;

use annotations::{Format, Record, RecordId, Registry, WantedCategory};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{DatasetName, ObjectVersion, S3Uri, Sha256};

use crate::StoreError;

/// The import of one annotation file.
///
/// Its records are put first ([`Annotations::put_annotations`]), in any number of calls; nobody sees them until the
/// import is published ([`Effect::AnnotationsImported`](crate::Effect::AnnotationsImported)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnnotationImport {
    /// Which import: a digest of the file's object version and of the settings under which it was read, so that
    /// repeated work is the same import.
    pub id: Sha256,
    /// The file.
    pub source: ObjectVersion,
    /// Its untouched copy in bronze.
    pub archive_uri: S3Uri,
    /// Digest of its bytes.
    pub archive_sha256: Sha256,
    /// Its format.
    pub annotation_format: Format,
    /// The version of the Label Studio SDK whose converters checked it.
    pub converter_version: String,
    /// How it was read and converted.
    pub conversion_parameters: Map<String, Value>,
    /// The categories that it brings, in its order.
    pub categories: Vec<WantedCategory>,
    /// What it holds and what was refused, in numbers.
    pub summary: Value,
}

/// A published import.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportRecord {
    /// Grows with every import of the dataset.
    pub sequence: i64,
    /// Whether its records count: not, once another version of the same object was imported.
    pub active: bool,
    /// Seconds since the Unix epoch, by the database's clock.
    pub imported_at: i64,
    /// What was imported.
    pub import: AnnotationImport,
}

/// A record and the import that it came with.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnnotation {
    /// The import.
    pub import_id: Sha256,
    /// The record.
    pub record: Record,
}

/// The stable map between a record and the image that it was joined to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationLink {
    /// The record.
    pub record_id: RecordId,
    /// The image's key in the dataset.
    pub image_key: String,
    /// The image in bronze.
    pub image_uri: S3Uri,
    /// The name under which the image is staged, relative to a stage's folder on NVMe.
    pub staged_path: String,
}

/// Annotation records, their imports, and the categories of datasets.
#[async_trait]
pub trait Annotations: Send + Sync + Debug {
    /// Puts records of an import that is not published yet. Again is harmless: the same import has the same records.
    async fn put_annotations(
        &self,
        dataset: &DatasetName,
        import: &Sha256,
        records: &[Record],
    ) -> Result<(), StoreError>;

    /// A page of published imports, oldest first, after the sequence number `after`.
    async fn annotation_imports(
        &self,
        dataset: &DatasetName,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ImportRecord>, StoreError>;

    /// A page of the records that count, by record id. Of one record in several active imports that which was changed
    /// last counts, else that of the latest import.
    async fn annotations(
        &self,
        dataset: &DatasetName,
        after: Option<&RecordId>,
        limit: u32,
    ) -> Result<Vec<StoredAnnotation>, StoreError>;

    /// Every published state of a record, that of the latest import first.
    async fn annotation_history(
        &self,
        dataset: &DatasetName,
        record: &RecordId,
    ) -> Result<Vec<StoredAnnotation>, StoreError>;

    /// The categories of a dataset.
    async fn categories(&self, dataset: &DatasetName) -> Result<Registry, StoreError>;

    /// Writes down which images records were joined to, replacing what was written before.
    async fn link_annotations(
        &self,
        dataset: &DatasetName,
        links: &[AnnotationLink],
    ) -> Result<(), StoreError>;

    /// A page of links, by record id.
    async fn annotation_links(
        &self,
        dataset: &DatasetName,
        after: Option<&RecordId>,
        limit: u32,
    ) -> Result<Vec<AnnotationLink>, StoreError>;
}
