//! The stage.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use image_workers::{ImageWorkers, Rendered};
use manifest_store::Effect;
use object_storage::ObjectSummary;
use pipeline::{
    Accepted, Content, Demand, IgnoreReason, Input, InputMode, Outcome, Output, Processed, Route, Stage,
    StageError, Work,
};
use serde_json::{Map, Value, json};
use types::{
    DatasetName, ImageId, LineageEdge, NormalizationPolicy, PolicyHash, RejectCode, RejectReason, Relation,
    S3Uri, SizeSpec, StageName, VariantRecord, layout,
};

/// Stage 2. All variants of an image are published together; an image that has them already (an exact duplicate,
/// a copy under another key) only gets its lineage.
#[derive(Debug)]
pub struct Normalize {
    input: S3Uri,
    output: S3Uri,
    policy: Arc<NormalizationPolicy>,
    workers: ImageWorkers,
    /// Datasets whose policy this process has written down.
    announced: Mutex<HashSet<DatasetName>>,
}

impl Normalize {
    /// Normalizes the bronze images below `input` into silver below `output`.
    pub fn new(input: S3Uri, output: S3Uri, policy: NormalizationPolicy, workers: ImageWorkers) -> Self {
        Self { input, output, policy: Arc::new(policy), workers, announced: Mutex::default() }
    }

    async fn announce(&self, work: &Work) -> Result<(), StageError> {
        let dataset = work.dataset();
        let known =
            |set: &Mutex<HashSet<_>>| set.lock().unwrap_or_else(PoisonError::into_inner).contains(dataset);
        if !known(&self.announced) {
            work.store.set_policy(dataset, &self.policy.hash(), &self.policy.canonical()).await?;
            self.announced.lock().unwrap_or_else(PoisonError::into_inner).insert(dataset.clone());
        }
        Ok(())
    }

    /// Makes the variants and describes them for upload and catalogue.
    async fn render(&self, work: &Work, staged: &Path, image: ImageId) -> Result<Processed, StageError> {
        let extension = self.policy.format().extension();
        let names: Vec<_> = self.policy.sizes().iter().map(SizeSpec::name).collect();
        let path = |name: &String| {
            let file = format!("{name}.{extension}");
            work.workspace.output(&file.parse().expect("size names are plain file names"))
        };
        let paths: Vec<PathBuf> = names.iter().map(path).collect::<Result<_, _>>()?;
        let Rendered { width, height, orientation, variants } =
            self.workers.normalize(staged, &self.policy, paths.clone(), &work.cpu, &work.memory).await?;
        let records: Vec<_> = names
            .into_iter()
            .zip(&variants)
            .map(|(variant_name, made)| VariantRecord {
                image_id: image,
                source_uri: work.object.object.uri.clone(),
                output_uri: self.variant_uri(work, &variant_name, &image),
                variant_name,
                width: made.width,
                height: made.height,
                normalization_policy_hash: self.policy.hash(),
                bytes: made.bytes,
                sha256: made.sha256,
                affine: made.affine,
            })
            .collect();
        Ok(Processed {
            outputs: records.iter().zip(paths).map(|(record, path)| self.output(record, path)).collect(),
            metadata: json!({ "image_id": image, "width": width, "height": height, "orientation": orientation }),
            lineage: lineage(work, &records),
            effects: vec![Effect::Variants(records)],
            ..Processed::default()
        })
    }

    fn variant_uri(&self, work: &Work, name: &str, image: &ImageId) -> S3Uri {
        let (policy, extension) = (self.policy.hash(), self.policy.format().extension());
        layout::variant(&self.output, work.dataset(), name, image, &policy, extension)
    }

    fn output(&self, record: &VariantRecord, path: PathBuf) -> Output {
        Output {
            content: Content::File(path),
            uri: record.output_uri.clone(),
            content_type: self.policy.format().content_type(),
            bytes: record.bytes,
            sha256: record.sha256,
            source_uri: record.source_uri.clone(),
            fields: fields(json!({
                "variant_name": record.variant_name,
                "width": record.width,
                "height": record.height,
                "normalization_policy_hash": record.normalization_policy_hash,
                "image_id": record.image_id,
                "affine": record.affine,
            })),
        }
    }
}

#[async_trait]
impl Stage for Normalize {
    fn name(&self) -> StageName {
        StageName::Normalize
    }

    fn policy(&self) -> PolicyHash {
        self.policy.hash()
    }

    fn input(&self) -> InputMode {
        InputMode::Staged { max_bytes: self.workers.limits().max_bytes }
    }

    fn manifest_folder(&self, dataset: &DatasetName) -> S3Uri {
        layout::manifest_folder(&self.output, dataset, StageName::Normalize)
    }

    fn route(&self, object: &ObjectSummary) -> Route {
        match layout::bronze_dataset(&self.input, &object.object.uri) {
            Some(dataset) => Route::Accept(Accepted { dataset }),
            None => Route::Ignore(IgnoreReason::OtherKey),
        }
    }

    /// The input and, for each size, as much as its raw pixels with alpha would take: no encoder of ours needs
    /// more than that plus a header.
    fn demand(&self, object: &ObjectSummary, _document: Option<&Bytes>) -> Result<Demand, RejectReason> {
        const HEADERS: u64 = 64 << 10;
        let raw = |(width, height): (u32, u32)| u64::from(width) * u64::from(height) * 4 + HEADERS;
        let outputs: u64 = self.policy.sizes().iter().map(|spec| raw(spec.size())).sum();
        Ok(Demand { nvme_bytes: object.bytes + outputs })
    }

    async fn process(&self, work: &Work) -> Result<Outcome, StageError> {
        let Input::File { path, sha256, .. } = &work.input else {
            return Err(StageError::rejected(RejectCode::InvalidRequest, "expected a staged file"));
        };
        let image = ImageId::of(sha256);
        self.announce(work).await?;
        let present = work.store.variants(work.dataset(), &image, &self.policy.hash()).await?;
        if present.is_empty() {
            return Ok(self.render(work, path, image).await?.into());
        }
        let processed = Processed {
            metadata: json!({ "image_id": image, "already_rendered": true }),
            lineage: lineage(work, &present),
            ..Processed::default()
        };
        Ok(processed.into())
    }
}

fn lineage(work: &Work, variants: &[VariantRecord]) -> Vec<LineageEdge> {
    let edge = |variant: &VariantRecord| LineageEdge {
        parent: work.object.object.uri.clone(),
        child: variant.output_uri.clone(),
        relation: Relation::Rendered,
    };
    variants.iter().map(edge).collect()
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
