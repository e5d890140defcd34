//! The stage.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dataset_builder::{
    AnnotationSettings, ShardPlan, VersionFiles, VersionPlanDocument, VersionSettings, build_shard,
    parse_document,
};
use manifest_store::{ClaimKey, ClaimStatus, Effect, PlanOutcome, VersionPlan, VersionState};
use object_storage::ObjectSummary;
use pipeline::{
    Accepted, Demand, IgnoreReason, Input, InputMode, Outcome, Output, Processed, Route, Stage, StageError,
    Work,
};
use serde_json::{Value, json};
use types::{
    DatasetName, DatasetVersionManifest, LineageEdge, ObjectVersion, PolicyHash, RejectCode, RejectReason,
    S3Uri, Sha256, ShardEntry, StageName, layout,
};

use crate::{CurationRequest, OutputKind, annotation_files, card, files, select};

const MAX_REQUEST_BYTES: u64 = 1 << 20;
const MAX_MANIFEST_BYTES: u64 = 256 << 20;
/// For the sample tables that are read and written beside the shard at work, half of it each.
pub(crate) const TABLE_BYTES: u64 = 256 << 20;
const NOT_PUBLISHED: Duration = Duration::from_secs(10);
const OTHER_REQUEST: Duration = Duration::from_secs(2);

/// Stage 4. Shards are built one after the other, each checkpointed once it is uploaded, so that an interrupted
/// request goes on where it was.
#[derive(Debug)]
pub struct Curate {
    input: S3Uri,
    output: S3Uri,
}

impl Curate {
    /// Serves the requests below `input` and writes training datasets below `output`.
    pub fn new(input: S3Uri, output: S3Uri) -> Self {
        Self { input, output }
    }

    async fn curate(&self, work: &Work, request: CurationRequest) -> Result<Outcome, StageError> {
        request.check().map_err(StageError::Rejected)?;
        self.refuse_taken_name(work, &request.name).await?;
        let source = work.store.version(&request.dataset, request.version).await?;
        let Some((manifest_uri, _)) = source.manifest.filter(|_| source.state == VersionState::Published)
        else {
            return Ok(Outcome::NotReady { retry_in: NOT_PUBLISHED });
        };
        let manifest = work.blobs.read(&manifest_uri, MAX_MANIFEST_BYTES).await?;
        let manifest: DatasetVersionManifest = parse_document(&manifest).map_err(StageError::Rejected)?;
        let folder = manifest_uri.parent();
        let annotations =
            AnnotationSettings::from_json(&manifest.annotations).map_err(StageError::Rejected)?;
        request.check_labels(&annotations).map_err(StageError::Rejected)?;
        let source = select::Source { manifest: &manifest, folder: &folder, annotations: &annotations };
        let parts = select::select(work, &request, &source).await?;
        let settings = VersionSettings {
            normalization_policy_hash: manifest.normalization_policy_hash,
            normalization_policy: manifest.normalization_policy,
            seed: request.seed.clone(),
            split_ratios: manifest.split_ratios,
            shard_bytes: request.shard_bytes,
            annotations,
        };
        self.build(work, &request, settings, parts).await
    }

    /// A dataset with images of its own is not overwritten by a curated one.
    async fn refuse_taken_name(&self, work: &Work, name: &DatasetName) -> Result<(), StageError> {
        work.store.ensure_dataset(name).await?;
        if work.store.dataset(name).await?.originals > 0 {
            let detail = format!("{name} is a dataset with images of its own: choose another name");
            return Err(StageError::rejected(RejectCode::InvalidRequest, detail));
        }
        Ok(())
    }

    async fn build(
        &self,
        work: &Work,
        request: &CurationRequest,
        settings: VersionSettings,
        parts: Vec<ShardPlan>,
    ) -> Result<Outcome, StageError> {
        let plans: Vec<ShardPlan> = match request.output {
            OutputKind::Webdataset => {
                parts.iter().cloned().flat_map(|part| part.cut(request.shard_bytes)).collect()
            }
            OutputKind::Files => Vec::new(),
        };
        let digest = Sha256::of(json!([request, settings, parts]).to_string());
        let plan = VersionPlan {
            input_digest: digest,
            settings: json!({ "request": request, "asked_by": work.object.object }),
            shards: plans.iter().map(ShardPlan::planned).collect(),
        };
        if self.another_is_at_work(work, &request.name, &digest).await? {
            return Ok(Outcome::NotReady { retry_in: OTHER_REQUEST });
        }
        let version = match work.store.plan_version(&request.name, &plan).await? {
            PlanOutcome::Resumed(version) | PlanOutcome::Planned(version) => version,
            PlanOutcome::Unchanged(version) => {
                let metadata = json!({ "name": request.name, "version": version, "unchanged": true });
                return Ok(Processed { metadata, ..Processed::default() }.into());
            }
        };
        let rows = parts.iter().map(|part| part.samples.len() as u64).sum();
        let document = VersionPlanDocument {
            dataset: request.name.clone(),
            version,
            input_digest: digest,
            rows,
            settings,
        };
        let plans = plans.into_iter().map(|plan| ShardPlan { version, ..plan }).collect();
        self.finish(work, request, &document, plans, &parts.into()).await
    }

    /// Whether another request is building a version of this name just now: planning ours would abandon it.
    async fn another_is_at_work(
        &self,
        work: &Work,
        name: &DatasetName,
        digest: &Sha256,
    ) -> Result<bool, StageError> {
        let versions = work.store.versions(name).await?;
        let others = versions
            .into_iter()
            .filter(|version| version.state == VersionState::Planned && version.input_digest != *digest);
        for other in others {
            let asked_by = other.settings.get("asked_by").cloned().unwrap_or_default();
            let Ok(object) = serde_json::from_value::<ObjectVersion>(asked_by) else { continue };
            let key = ClaimKey { object, ..work.claim.key.clone() };
            if let Some(ClaimStatus::NotNow { .. }) = work.store.statuses(&[key]).await?.first() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn finish(
        &self,
        work: &Work,
        request: &CurationRequest,
        document: &VersionPlanDocument,
        plans: Vec<ShardPlan>,
        parts: &Arc<[ShardPlan]>,
    ) -> Result<Outcome, StageError> {
        let (version, request_uri) = (document.version, &work.object.object.uri);
        let folder = layout::version(&self.output, &request.name, version);
        let (mut shards, mut effects, mut lineage) = (Vec::new(), Vec::new(), Vec::new());
        let done: HashMap<_, _> = work.store.checkpoints(&work.claim.key).await?.into_iter().collect();
        for plan in plans {
            let number = plan.number;
            let (shard, plan_uri, edges) = self.shard(work, plan, &folder, &done).await?;
            effects.push(Effect::ShardBuilt { version, number, shard: shard.clone() });
            shards.push((shard, plan_uri));
            lineage.extend(edges);
        }
        let files = VersionFiles { document, folder: folder.clone(), plan_uri: request_uri.clone(), shards };
        let readme = card::card(request, version, parts);
        let mut extra =
            vec![Output::document(folder.join("README.md"), "text/markdown", readme, request_uri.clone())];
        extra.extend(annotation_files::write(work, request, &folder, parts).await?);
        let finished = match request.output {
            OutputKind::Webdataset => files.finish(work.blobs.as_ref(), &work.workspace, extra).await?,
            OutputKind::Files => {
                extra.extend(files::copy_files(work, &folder, parts, request_uri).await?);
                files.finish_files(extra, parts, files::listed(&files, parts))
            }
        };
        lineage.extend(finished.lineage);
        effects.push(Effect::VersionPublished {
            version,
            manifest_uri: finished.manifest.uri.clone(),
            manifest_sha256: finished.manifest.sha256,
        });
        let processed = Processed {
            metadata: json!({ "name": request.name, "version": version, "request": request }),
            outputs: finished.outputs,
            finals: vec![finished.manifest],
            lineage,
            effects,
        };
        Ok(processed.into())
    }

    /// Builds and uploads one shard, unless a checkpoint says that it is there.
    async fn shard(
        &self,
        work: &Work,
        plan: ShardPlan,
        folder: &S3Uri,
        done: &HashMap<String, Value>,
    ) -> Result<(ShardEntry, S3Uri, Vec<LineageEdge>), StageError> {
        let stem = plan.stem();
        let target = folder.join(&plan.variant);
        let plan_uri = folder.join("plans").join(&plan.variant).join(&format!("{stem}.json"));
        let name = format!("{}/{stem}", plan.version);
        let known = done.get(&name).cloned();
        if let Some(entry) = known.and_then(|value| serde_json::from_value::<ShardEntry>(value).ok()) {
            let edges = dataset_builder::packed(&plan, &entry.uri);
            return Ok((entry, plan_uri, edges));
        }
        let json = serde_json::to_vec(&plan).expect("a plan is plain JSON");
        let document =
            Output::document(plan_uri.clone(), "application/json", json, work.object.object.uri.clone());
        document.upload(work.blobs.as_ref()).await?;
        let built =
            build_shard(Arc::new(plan), work.blobs.as_ref(), &work.workspace, &target, &plan_uri).await?;
        for output in &built.outputs {
            output.upload(work.blobs.as_ref()).await?;
        }
        let entry: Value = serde_json::to_value(&built.entry).expect("an entry is plain JSON");
        work.store.put_checkpoint(&work.claim, &name, &entry).await?;
        Ok((built.entry, plan_uri, built.lineage))
    }
}

#[async_trait]
impl Stage for Curate {
    fn name(&self) -> StageName {
        StageName::Curate
    }

    fn policy(&self) -> PolicyHash {
        // A request says all there is to say: the stage has no settings of its own.
        PolicyHash::of("imageml-curate-1")
    }

    fn input(&self) -> InputMode {
        InputMode::Document { max_bytes: MAX_REQUEST_BYTES }
    }

    fn manifest_folder(&self, dataset: &DatasetName) -> S3Uri {
        layout::manifest_folder(&self.output, dataset, StageName::Curate)
    }

    fn route(&self, object: &ObjectSummary) -> Route {
        match layout::plan_dataset(&self.input, &object.object.uri) {
            Some(dataset) => Route::Accept(Accepted { dataset }),
            None => Route::Ignore(IgnoreReason::OtherKey),
        }
    }

    fn demand(&self, _object: &ObjectSummary, document: Option<&Bytes>) -> Result<Demand, RejectReason> {
        let missing = || RejectReason::new(RejectCode::InvalidRequest, "the request was not read");
        let request: CurationRequest = parse_document(document.ok_or_else(missing)?)?;
        let shard = match request.output {
            OutputKind::Webdataset => request.shard_bytes.min(8 << 30),
            OutputKind::Files => 0,
        };
        // A shard may pass its target by a quarter (`shards::pack`).
        Ok(Demand { nvme_bytes: shard + shard / 4 + TABLE_BYTES })
    }

    async fn process(&self, work: &Work) -> Result<Outcome, StageError> {
        let Input::Document(document) = &work.input else {
            return Err(StageError::rejected(RejectCode::InvalidRequest, "expected a request"));
        };
        let request: CurationRequest = parse_document(document).map_err(StageError::Rejected)?;
        if request.name != *work.dataset() {
            return Err(StageError::rejected(
                RejectCode::InvalidRequest,
                "the request is for another training dataset than its key says",
            ));
        }
        self.curate(work, request).await
    }
}
