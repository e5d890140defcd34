//! Samples as rows of `samples.parquet`, and back.

use std::path::Path;

use pipeline::StageError;
use shards::{SampleRow, SampleSpan, ShardError};
use types::{S3Uri, ShardEntry};

use crate::build::shard_error;
use crate::{PlannedSample, SampleSource, ShardPlan};

/// The rows of one shard.
pub(crate) fn rows(plan: &ShardPlan, index: &[u8], shard: &ShardEntry) -> Result<Vec<SampleRow>, StageError> {
    let name = file_name(&shard.uri);
    let corrupt = |error: ShardError| shard_error(error, Path::new(&name));
    let spans = shards::parse_dali_index(&String::from_utf8_lossy(index)).map_err(corrupt)?;
    let row = |(index, (sample, span)): (u32, (&PlannedSample, &SampleSpan))| {
        let picture = span.member(&plan.extension);
        SampleRow {
            key: sample.image_id,
            variant: plan.variant.clone(),
            split: plan.split,
            group: sample.group_id,
            shard: name.clone(),
            index,
            offset: span.offset,
            image_offset: picture.map_or(0, |member| member.offset),
            image_bytes: sample.bytes,
            variant_uri: sample.uri.clone(),
            variant_sha256: sample.sha256,
            width: sample.width,
            height: sample.height,
            source_uri: sample.source.uri.clone(),
            source_key: sample.source.key.clone(),
            source_sha256: sample.source.sha256,
            source_width: sample.source.width,
            source_height: sample.source.height,
            orientation: sample.source.orientation,
            copies: u32::try_from(sample.source.copies).unwrap_or(u32::MAX),
            affine: sample.affine,
            annotation: sample.annotation.as_ref().map_or_else(String::new, annotation_json),
        }
    };
    Ok((0..).zip(plan.samples.iter().zip(&spans)).map(row).collect())
}

/// The last segment of a key that we made ourselves.
pub(crate) fn file_name(uri: &S3Uri) -> String {
    uri.key().rsplit('/').next().unwrap_or_default().to_owned()
}

fn annotation_json(record: &annotations::Record) -> String {
    serde_json::to_string(record).expect("a record is plain JSON")
}

impl TryFrom<&SampleRow> for PlannedSample {
    type Error = ShardError;

    /// The sample that a row describes.
    fn try_from(row: &SampleRow) -> Result<Self, ShardError> {
        let annotation = match row.annotation.as_str() {
            "" => None,
            text => {
                let record = serde_json::from_str(text);
                Some(record.map_err(|error| ShardError::InvalidSamples(error.to_string()))?)
            }
        };
        Ok(Self {
            image_id: row.key,
            group_id: row.group,
            source: SampleSource {
                uri: row.source_uri.clone(),
                key: row.source_key.clone(),
                sha256: row.source_sha256,
                width: row.source_width,
                height: row.source_height,
                orientation: row.orientation,
                copies: row.copies.into(),
            },
            uri: row.variant_uri.clone(),
            sha256: row.variant_sha256,
            bytes: row.image_bytes,
            width: row.width,
            height: row.height,
            affine: row.affine,
            annotation,
        })
    }
}
