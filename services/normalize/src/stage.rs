//! The stage.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use imaging::{Limits, Normalized, Rendition};
use manifest_store::Effect;
use object_storage::ObjectSummary;
use pipeline::{
    Accepted, Content, Demand, IgnoreReason, Input, InputMode, Outcome, Output, Processed, Route, Stage,
    StageError, Work,
};
use serde_json::{Map, Value, json};
use types::{
    DatasetName, ImageId, LineageEdge, NormalizationPolicy, PolicyHash, RejectCode, RejectReason, Relation,
    S3Uri, Sha256, StageName, VariantRecord, layout,
};

/// Stage 2. All variants of an image are published together; an image that has them already (an exact duplicate,
/// a copy under another key) only gets its lineage.
#[derive(Debug)]
pub struct Normalize {
    input: S3Uri,
    output: S3Uri,
    policy: Arc<NormalizationPolicy>,
    limits: Limits,
    /// Datasets whose policy this process has written down.
    announced: Mutex<HashSet<DatasetName>>,
}

impl Normalize {
    /// Normalizes the bronze images below `input` into silver below `output`.
    pub fn new(input: S3Uri, output: S3Uri, policy: NormalizationPolicy, limits: Limits) -> Self {
        Self { input, output, policy: Arc::new(policy), limits, announced: Mutex::default() }
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

    async fn compute(&self, work: &Work) -> Result<Normalized, StageError> {
        let data = work.read_input().await?;
        let (header, limits) = (data.clone(), self.limits);
        let probe = work.cpu.run(move || imaging::probe(&header, &limits)).await?;
        let probe = probe.map_err(|error| StageError::Rejected(error.reason()))?;
        let permit = work.memory.acquire(imaging::memory_needed(&probe, &self.policy)).await;
        let policy = Arc::clone(&self.policy);
        let normalized = work
            .cpu
            .run(move || {
                let normalized = imaging::normalize(&data, &policy, &limits);
                drop(permit);
                normalized
            })
            .await?;
        normalized.map_err(|error| StageError::Rejected(error.reason()))
    }

    async fn output(&self, work: &Work, image: ImageId, made: Rendition) -> Result<Output, StageError> {
        let name = made.spec.name();
        let format = self.policy.format();
        let file = format!("{name}.{}", format.extension());
        let path = work.workspace.output(&file.parse().expect("size names are plain file names"))?;
        let (bytes, sha256) = (made.bytes.len() as u64, Sha256::of(&made.bytes));
        tokio::fs::write(&path, &made.bytes).await.map_err(StageError::file(&path))?;
        Ok(Output {
            content: Content::File(path),
            uri: layout::variant(
                &self.output,
                work.dataset(),
                &name,
                &image,
                &self.policy.hash(),
                format.extension(),
            ),
            content_type: format.content_type(),
            bytes,
            sha256,
            source_uri: work.object.object.uri.clone(),
            fields: fields(json!({
                "variant_name": name,
                "width": made.width,
                "height": made.height,
                "normalization_policy_hash": self.policy.hash(),
                "image_id": image,
                "affine": made.affine,
            })),
        })
    }

    async fn render(&self, work: &Work, image: ImageId) -> Result<Processed, StageError> {
        let Normalized { width, height, orientation, renditions } = self.compute(work).await?;
        let (mut outputs, mut variants) = (Vec::new(), Vec::new());
        for made in renditions {
            let (spec, affine) = (made.spec, made.affine);
            let (width, height) = (made.width, made.height);
            let output = self.output(work, image, made).await?;
            variants.push(VariantRecord {
                image_id: image,
                source_uri: output.source_uri.clone(),
                variant_name: spec.name(),
                output_uri: output.uri.clone(),
                width,
                height,
                normalization_policy_hash: self.policy.hash(),
                bytes: output.bytes,
                sha256: output.sha256,
                affine,
            });
            outputs.push(output);
        }
        Ok(Processed {
            outputs,
            metadata: json!({ "image_id": image, "width": width, "height": height, "orientation": orientation }),
            lineage: lineage(work, &variants),
            effects: vec![Effect::Variants(variants)],
            ..Processed::default()
        })
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
        InputMode::Staged { max_bytes: self.limits.max_bytes }
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
        let Input::File { sha256, .. } = &work.input else {
            return Err(StageError::rejected(RejectCode::InvalidRequest, "expected a staged file"));
        };
        let image = ImageId::of(sha256);
        self.announce(work).await?;
        let present = work.store.variants(work.dataset(), &image, &self.policy.hash()).await?;
        if present.is_empty() {
            return Ok(self.render(work, image).await?.into());
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
