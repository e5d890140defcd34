//! The stage.

use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use image_workers::ImageWorkers;
use manifest_store::Effect;
use object_storage::ObjectSummary;
use pipeline::{
    Accepted, Content, DatasetRoute, Demand, IgnoreReason, Input, InputMode, Outcome, Output, Processed,
    Route, Stage, StageError, Work,
};
use serde_json::json;
use tokio::io::AsyncReadExt;
use types::{
    DatasetName, ImageId, LineageEdge, OriginalRecord, PolicyHash, RejectCode, RejectReason, Relation, S3Uri,
    Sha256, StageName, layout,
};

use crate::ImportSettings;
use crate::import::{Archive, Importer};

/// The longest key that S3 takes, in bytes.
const MAX_KEY_BYTES: usize = 1024;
/// The largest annotation file; it is in memory as a whole, and of COCO all that is read from it too.
const MAX_ANNOTATION_BYTES: u64 = 256 << 20;
/// Bytes in which the first sign of a JSON document has to be.
const HEAD_BYTES: u64 = 4 << 10;

/// Stage 1. Exact duplicates are catalogued and kept like any other original: which one is the sample is decided
/// when a version is planned, so it does not depend on the order of arrival.
#[derive(Debug)]
pub struct Ingest {
    input: S3Uri,
    output: S3Uri,
    datasets: DatasetRoute,
    workers: ImageWorkers,
    importer: Importer,
}

impl Ingest {
    /// Ingests what lands below `input` into bronze below `output`. Annotation files are rejected, see
    /// [`with_annotations`](Self::with_annotations).
    pub fn new(input: S3Uri, output: S3Uri, datasets: DatasetRoute, workers: ImageWorkers) -> Self {
        Self { input, output, datasets, workers, importer: Importer::default() }
    }

    /// Imports annotation files too.
    #[must_use]
    pub fn with_annotations(self, settings: ImportSettings) -> Self {
        Self { importer: Importer::new(settings), ..self }
    }

    /// The dataset of an object and its key within the dataset.
    fn place<'k>(&self, uri: &'k S3Uri) -> Option<(DatasetName, &'k str)> {
        self.datasets.split(self.input.relative(uri)?)
    }
}

#[async_trait]
impl Stage for Ingest {
    fn name(&self) -> StageName {
        StageName::Ingest
    }

    fn policy(&self) -> PolicyHash {
        // Limits are not part of it: raised limits are for `rejected redrive`, not for doing all work again.
        PolicyHash::of("imageml-ingest-1")
    }

    fn input(&self) -> InputMode {
        InputMode::Staged { max_bytes: self.workers.limits().max_bytes.max(MAX_ANNOTATION_BYTES) }
    }

    fn manifest_folder(&self, dataset: &DatasetName) -> S3Uri {
        layout::manifest_folder(&self.output, dataset, StageName::Ingest)
    }

    fn route(&self, object: &ObjectSummary) -> Route {
        let Some((dataset, relative)) = self.place(&object.object.uri) else {
            return Route::Ignore(IgnoreReason::OtherKey);
        };
        if relative.is_empty() || (relative.ends_with('/') && object.bytes == 0) {
            return Route::Ignore(IgnoreReason::FolderMarker);
        }
        if is_hidden(relative) {
            return Route::Ignore(IgnoreReason::Hidden);
        }
        let refuse = |detail: &str| RejectReason::new(RejectCode::InvalidKey, detail);
        let accepted = Accepted { dataset };
        if relative.contains('\0') {
            return Route::Reject(accepted, refuse("the key holds a NUL character"));
        }
        // Every digest is equally long.
        let bronze = layout::bronze_image(&self.output, &accepted.dataset, relative, &Sha256::of([]));
        if bronze.key().len() > MAX_KEY_BYTES {
            return Route::Reject(
                accepted,
                refuse("the key is too long to be copied below the output prefix"),
            );
        }
        Route::Accept(accepted)
    }

    fn demand(&self, object: &ObjectSummary, _document: Option<&Bytes>) -> Result<Demand, RejectReason> {
        Ok(Demand { nvme_bytes: object.bytes })
    }

    async fn process(&self, work: &Work) -> Result<Outcome, StageError> {
        let Some((dataset, relative)) = self.place(&work.object.object.uri) else {
            return Err(StageError::rejected(RejectCode::InvalidKey, "not below the input prefix"));
        };
        let Input::File { path, bytes, sha256 } = &work.input else {
            return Err(StageError::rejected(RejectCode::InvalidRequest, "expected a staged file"));
        };
        let landed = Landed { dataset, relative, path, bytes: *bytes, sha256 };
        let json = begins_as_json(path).await?;
        if !json && *bytes > self.workers.limits().max_bytes {
            let detail =
                format!("{bytes} bytes, at most {} are taken for an image", self.workers.limits().max_bytes);
            return Err(StageError::rejected(RejectCode::LimitExceeded, detail));
        }
        let processed =
            if json { self.annotations(work, landed).await? } else { self.image(work, landed).await? };
        Ok(processed.into())
    }
}

/// What landed, on NVMe.
struct Landed<'a> {
    dataset: DatasetName,
    /// Its key in the dataset.
    relative: &'a str,
    path: &'a Path,
    bytes: u64,
    sha256: &'a Sha256,
}

impl Ingest {
    async fn annotations(&self, work: &Work, landed: Landed<'_>) -> Result<Processed, StageError> {
        let Landed { dataset, relative, path, bytes, sha256 } = landed;
        let archive = Archive {
            uri: layout::bronze_annotations(&self.output, &dataset, relative, sha256),
            dataset,
            bytes,
            sha256: *sha256,
            content: Content::File(path.to_owned()),
        };
        self.importer.import(work, archive).await
    }

    async fn image(&self, work: &Work, landed: Landed<'_>) -> Result<Processed, StageError> {
        let Landed { dataset, relative, path, bytes, sha256 } = landed;
        let inspection = self.workers.inspect(path, &work.cpu, &work.memory).await?;
        refuse_taken_key(work, &dataset, relative, sha256).await?;
        let bronze_uri = layout::bronze_image(&self.output, &dataset, relative, sha256);
        let original = OriginalRecord {
            key: relative.to_owned(),
            source: work.object.object.clone(),
            bronze_uri: bronze_uri.clone(),
            image_id: ImageId::of(sha256),
            sha256: *sha256,
            bytes,
            format: inspection.format.as_str().to_owned(),
            width: inspection.width,
            height: inspection.height,
            orientation: inspection.orientation,
            pixel_hash: inspection.pixel_hash,
            perceptual_hash: inspection.perceptual_hash,
            exif: inspection.exif,
            animated: inspection.animated,
        };
        let source_uri = work.object.object.uri.clone();
        let output = Output {
            content: Content::File(path.to_owned()),
            uri: bronze_uri.clone(),
            content_type: content_type(inspection.format),
            bytes,
            sha256: *sha256,
            source_uri: source_uri.clone(),
            fields: serde_json::Map::new(),
        };
        let processed = Processed {
            outputs: vec![output],
            metadata: json!({ "original": original }),
            lineage: vec![LineageEdge { parent: source_uri, child: bronze_uri, relation: Relation::Copied }],
            effects: vec![Effect::Original(original)],
            ..Processed::default()
        };
        Ok(processed)
    }
}

/// Whether a file's first sign is that of a JSON list or object: no image begins so.
///
/// # Errors
/// The file cannot be read.
pub async fn begins_as_json(path: &Path) -> Result<bool, StageError> {
    let file = tokio::fs::File::open(path).await.map_err(StageError::file(path))?;
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head).await.map_err(StageError::file(path))?;
    Ok(!matches!(annotations::json_items::root(&head), annotations::json_items::Root::Other))
}

/// Two inputs of one dataset may use the same keys. A changed object of the same input replaces its record; an
/// object of another input must not: the first image would be gone without a word.
async fn refuse_taken_key(
    work: &Work,
    dataset: &DatasetName,
    relative: &str,
    sha256: &Sha256,
) -> Result<(), StageError> {
    match work.store.original(dataset, relative).await? {
        Some(known) if known.source.uri != work.object.object.uri && known.sha256 != *sha256 => {
            let detail = format!("the dataset has another image under this key, from {}", known.source.uri);
            Err(StageError::rejected(RejectCode::KeyTaken, detail))
        }
        _ => Ok(()),
    }
}

/// `.DS_Store`, `._photo.jpg`, `.Trash/…`: what desktops and tools leave behind. `..` is no hidden name.
fn is_hidden(relative: &str) -> bool {
    relative.split('/').any(|name| name.len() > 1 && name.starts_with('.') && !name.starts_with(".."))
}

fn content_type(format: imaging::ImageFormat) -> &'static str {
    match format {
        imaging::ImageFormat::Jpeg => "image/jpeg",
        imaging::ImageFormat::Png => "image/png",
        imaging::ImageFormat::WebP => "image/webp",
        imaging::ImageFormat::Gif => "image/gif",
        imaging::ImageFormat::Bmp => "image/bmp",
        imaging::ImageFormat::Tiff => "image/tiff",
    }
}

#[cfg(test)]
mod tests {
    use types::ObjectVersion;

    use image_workers::WorkerSettings;

    use super::*;

    fn route(key: &str, bytes: u64) -> Route {
        let (input, output) = ("s3://inbox/pre", "s3://bronze/deep/prefix");
        let parse = |uri: &str| uri.parse().expect("a valid uri");
        let stage = Ingest::new(
            parse(input),
            parse(output),
            DatasetRoute::FirstSegment,
            ImageWorkers::new(WorkerSettings::default()),
        );
        let uri = S3Uri::new("inbox".parse().expect("a valid name"), key);
        stage.route(&ObjectSummary {
            object: ObjectVersion { uri, version: "1".to_owned() },
            bytes,
            modified: None,
        })
    }

    #[test]
    fn the_first_folder_names_the_dataset() {
        let dataset = "pets".parse().expect("a valid name");
        assert_eq!(route("pre/pets/a/b.jpg", 9), Route::Accept(Accepted { dataset }));
        for other in ["pre/b.jpg", "pre/Not A Name/b.jpg", "prefix/pets/b.jpg", "pets/b.jpg"] {
            assert_eq!(route(other, 9), Route::Ignore(IgnoreReason::OtherKey), "{other}");
        }
    }

    #[test]
    fn what_desktops_leave_behind_is_ignored_and_odd_names_are_not() {
        for hidden in ["pre/pets/.DS_Store", "pre/pets/.git/a.jpg", "pre/pets/x/._a.jpg"] {
            assert_eq!(route(hidden, 9), Route::Ignore(IgnoreReason::Hidden), "{hidden}");
        }
        assert_eq!(route("pre/pets/folder/", 0), Route::Ignore(IgnoreReason::FolderMarker));
        for odd in ["pre/pets/../x.jpg", "pre/pets/..jpg", "pre/pets//x", "pre/pets/.", "pre/pets/a%2Fb +"] {
            assert!(matches!(route(odd, 9), Route::Accept(_)), "{odd}");
        }
    }

    #[test]
    fn keys_that_cannot_be_carried_on_are_rejected() {
        // S3 takes 1,024 bytes; bronze keys are longer by `deep/prefix/`, `images/` and a digest of 16 signs with its
        // hyphen, and shorter by `pre/`.
        let longest = "x".repeat(1024 - "deep/prefix/pets/images/".len() - 17);
        assert!(matches!(route(&format!("pre/pets/{longest}"), 9), Route::Accept(_)));
        for bad in [format!("pre/pets/{longest}x"), "pre/pets/a\0.jpg".to_owned()] {
            assert!(
                matches!(route(&bad, 9), Route::Reject(_, reason) if reason.code == RejectCode::InvalidKey)
            );
        }
    }
}
