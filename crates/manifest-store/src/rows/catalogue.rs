//! Rows of the catalogue.

use std::collections::HashMap;

use sqlx::FromRow;
use types::{ImageId, ObjectVersion, Orientation, OriginalRecord, VariantRecord};

use crate::encoding::{
    duration, from_json, image_id, number, parsed, policy, sha256, split, unreadable, uri, version,
};
use crate::{DatasetProgress, DatasetRecord, ReadySample, SplitAssignment, StoreError};

/// A dataset with its counts.
#[derive(Debug, FromRow)]
pub(crate) struct DatasetRow {
    name: String,
    policy_hash: Option<Vec<u8>>,
    policy: Option<String>,
    originals: i64,
    images: i64,
    rejected: i64,
    latest: Option<i64>,
}

impl TryFrom<DatasetRow> for DatasetRecord {
    type Error = StoreError;

    fn try_from(row: DatasetRow) -> Result<Self, StoreError> {
        let policy = match (row.policy_hash, row.policy) {
            (Some(hash), Some(canonical)) => Some((policy(&hash)?, canonical)),
            (None, None) => None,
            _ => return Err(unreadable("policy", "a hash without its text, or the reverse")),
        };
        Ok(Self {
            name: parsed("dataset", &row.name)?,
            policy,
            originals: number("count", row.originals)?,
            images: number("count", row.images)?,
            rejected: number("count", row.rejected)?,
            latest: row.latest.map(version).transpose()?,
        })
    }
}

/// How far a dataset is.
#[derive(Debug, FromRow)]
pub(crate) struct ProgressRow {
    originals: i64,
    pending: i64,
    quiet_for_ms: i64,
}

impl TryFrom<ProgressRow> for DatasetProgress {
    type Error = StoreError;

    fn try_from(row: ProgressRow) -> Result<Self, StoreError> {
        Ok(Self {
            originals: number("count", row.originals)?,
            pending: number("count", row.pending)?,
            quiet_for: duration(row.quiet_for_ms),
        })
    }
}

/// An ingested image.
#[derive(Debug, FromRow)]
pub(crate) struct OriginalRow {
    key: String,
    source_bucket: String,
    source_key: String,
    source_version: String,
    bronze_bucket: String,
    bronze_key: String,
    image_id: Vec<u8>,
    sha256: Vec<u8>,
    bytes: i64,
    format: String,
    width: i64,
    height: i64,
    orientation: i64,
    pixel_hash: Vec<u8>,
    perceptual_hash: i64,
    exif: String,
    animated: i64,
}

impl TryFrom<OriginalRow> for OriginalRecord {
    type Error = StoreError;

    fn try_from(row: OriginalRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: row.key,
            source: ObjectVersion {
                uri: uri(&row.source_bucket, row.source_key)?,
                version: row.source_version,
            },
            bronze_uri: uri(&row.bronze_bucket, row.bronze_key)?,
            image_id: image_id(&row.image_id)?,
            sha256: sha256(&row.sha256)?,
            bytes: number("bytes", row.bytes)?,
            format: row.format,
            width: number("width", row.width)?,
            height: number("height", row.height)?,
            orientation: Orientation::from(number::<u16>("orientation", row.orientation)?),
            pixel_hash: sha256(&row.pixel_hash)?,
            perceptual_hash: row.perceptual_hash.cast_unsigned(),
            exif: from_json("EXIF", &row.exif)?,
            animated: row.animated != 0,
        })
    }
}

/// A rendition.
#[derive(Debug, FromRow)]
pub(crate) struct VariantRow {
    image_id: Vec<u8>,
    policy: Vec<u8>,
    variant: String,
    source_bucket: String,
    source_key: String,
    output_bucket: String,
    output_key: String,
    width: i64,
    height: i64,
    bytes: i64,
    sha256: Vec<u8>,
    affine: String,
}

impl TryFrom<VariantRow> for VariantRecord {
    type Error = StoreError;

    fn try_from(row: VariantRow) -> Result<Self, StoreError> {
        Ok(Self {
            image_id: image_id(&row.image_id)?,
            source_uri: uri(&row.source_bucket, row.source_key)?,
            variant_name: row.variant,
            output_uri: uri(&row.output_bucket, row.output_key)?,
            width: number("width", row.width)?,
            height: number("height", row.height)?,
            normalization_policy_hash: policy(&row.policy)?,
            bytes: number("bytes", row.bytes)?,
            sha256: sha256(&row.sha256)?,
            affine: from_json("affine", &row.affine)?,
        })
    }
}

/// An image that is ready, still without its variants.
#[derive(Debug, FromRow)]
pub(crate) struct ReadyRow {
    #[sqlx(flatten)]
    original: OriginalRow,
    copies: i64,
}

/// Puts variants to their images, keeping the order of both. Variants of other images are passed over: their
/// originals are gone.
pub(crate) fn join_variants(
    images: Vec<ReadyRow>,
    variants: Vec<VariantRow>,
) -> Result<Vec<ReadySample>, StoreError> {
    let mut by_image: HashMap<ImageId, Vec<VariantRecord>> = HashMap::with_capacity(images.len());
    for row in variants {
        let variant = VariantRecord::try_from(row)?;
        by_image.entry(variant.image_id).or_default().push(variant);
    }
    let join = |row: ReadyRow| {
        let original = OriginalRecord::try_from(row.original)?;
        let variants = by_image.remove(&original.image_id).unwrap_or_default();
        Ok(ReadySample { original, copies: number("count", row.copies)?, variants })
    };
    images.into_iter().map(join).collect()
}

impl ReadyRow {
    /// The raw id of the image, for the page's upper end.
    pub(crate) fn image_id(&self) -> &[u8] {
        &self.original.image_id
    }
}

/// The weight of one variant.
#[derive(Debug, FromRow)]
pub(crate) struct VariantTotalRow {
    variant: String,
    number: i64,
    bytes: i64,
}

impl VariantTotalRow {
    pub(crate) fn total(self) -> Result<(String, u64, u64), StoreError> {
        Ok((self.variant, number("count", self.number)?, number("bytes", self.bytes)?))
    }
}

/// Where an image went.
#[derive(Debug, FromRow)]
pub(crate) struct SplitRow {
    image_id: Vec<u8>,
    group_id: Vec<u8>,
    split: i64,
}

impl TryFrom<SplitRow> for SplitAssignment {
    type Error = StoreError;

    fn try_from(row: SplitRow) -> Result<Self, StoreError> {
        Ok(Self {
            image_id: image_id(&row.image_id)?,
            group_id: image_id(&row.group_id)?,
            split: split(row.split)?,
        })
    }
}
