//! The planner: which samples there are, which split each is in, in which shard it goes.

mod groups;
mod samples;

use std::sync::Arc;
use std::time::Duration;

use annotations::ClipPolicy;
use bytes::Bytes;
use dataset_builder::{
    AnnotationSettings, DatasetAnnotations, ShardPlan, VersionPlanDocument, VersionSettings,
};
use manifest_store::{ManifestStore, PlanOutcome, VersionPlan};
use object_storage::{BlobStore, PutOptions, StorageError};
use pipeline::StageError;
use serde_json::Value;
use types::{DatasetName, RejectCode, S3Uri, Split, SplitRatios, VersionNumber, layout};

/// Links of annotations written in one call.
const LINKS: usize = 5_000;

/// What decides a version beside its samples.
#[derive(Debug, Clone)]
pub struct PlannerSettings {
    /// The size that shards aim at.
    pub shard_bytes: u64,
    /// The wanted split shares.
    pub split_ratios: SplitRatios,
    /// Seed of the order, salt of the splits.
    pub seed: String,
    /// Which annotated objects are left out of variants.
    pub clip: ClipPolicy,
    /// How long nothing may have changed before a version is planned.
    pub settle: Duration,
}

/// What became of planning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// Nothing to publish: no image is usable.
    Empty,
    /// So many originals are not normalized yet, or the dataset changed a moment ago (then 0).
    Pending(u64),
    /// The latest version already is this content.
    Unchanged(VersionNumber),
    /// Plans for this version are written: workers can begin.
    Version(VersionNumber),
    /// They were written before: workers are at it.
    UnderWay(VersionNumber),
}

/// Plans dataset versions.
///
/// It holds about 2 KiB per sample in memory while it plans.
#[derive(Debug)]
pub struct Planner {
    store: Arc<dyn ManifestStore>,
    blobs: Arc<dyn BlobStore>,
    plans: S3Uri,
    settings: PlannerSettings,
}

impl Planner {
    /// A planner that writes plans below `plans`, the shard stage's input prefix.
    pub fn new(
        store: Arc<dyn ManifestStore>,
        blobs: Arc<dyn BlobStore>,
        plans: S3Uri,
        settings: PlannerSettings,
    ) -> Self {
        Self { store, blobs, plans, settings }
    }

    /// Plans every settled dataset once; the datasets for which plans were written.
    ///
    /// # Errors
    /// The manifest store or the object store failed.
    pub async fn plan_all(&self) -> Result<Vec<(DatasetName, VersionNumber)>, StageError> {
        let mut planned = Vec::new();
        for dataset in self.store.datasets().await? {
            if dataset.policy.is_none() {
                continue;
            }
            match self.plan(&dataset.name).await? {
                Planned::Version(version) => planned.push((dataset.name, version)),
                Planned::Pending(originals) => {
                    tracing::debug!(dataset = %dataset.name, originals, "not settled");
                }
                Planned::Empty | Planned::Unchanged(_) | Planned::UnderWay(_) => {}
            }
        }
        Ok(planned)
    }

    /// Plans a version of the dataset if its content is new. Can be repeated and run by several replicas: equal
    /// content gets one version, and its plans are the same documents.
    ///
    /// # Errors
    /// The manifest store or the object store failed.
    pub async fn plan(&self, dataset: &DatasetName) -> Result<Planned, StageError> {
        let Some((policy, canonical)) = self.store.dataset(dataset).await?.policy else {
            return Ok(Planned::Empty);
        };
        let progress = self.store.progress(dataset, &policy).await?;
        if progress.pending > 0 || progress.quiet_for < self.settings.settle {
            return Ok(Planned::Pending(progress.pending));
        }
        let samples = samples::load(self.store.as_ref(), dataset, &policy).await?;
        if samples.is_empty() {
            return Ok(Planned::Empty);
        }
        let annotated = DatasetAnnotations::load(self.store.as_ref(), dataset).await?;
        self.write_links(dataset, &annotated).await?;
        let places = groups::assign(self.store.as_ref(), dataset, &samples, &self.settings).await?;
        let settings = VersionSettings {
            normalization_policy_hash: policy,
            normalization_policy: parse_policy(&canonical)?,
            seed: self.settings.seed.clone(),
            split_ratios: self.settings.split_ratios,
            shard_bytes: self.settings.shard_bytes,
            annotations: AnnotationSettings::new(self.settings.clip, &annotated.categories),
        };
        let content = samples::Content {
            dataset,
            settings: &settings,
            samples: &samples,
            places: &places,
            annotated: &annotated.used,
        };
        let parts = content.by_variant_and_split();
        let digest = content.digest(&parts);
        let plans = self.pack(parts);
        let plan = VersionPlan {
            input_digest: digest,
            settings: serde_json::to_value(&settings).expect("settings are plain JSON"),
            shards: plans.iter().map(ShardPlan::planned).collect(),
        };
        match self.store.plan_version(dataset, &plan).await? {
            PlanOutcome::Unchanged(version) => Ok(Planned::Unchanged(version)),
            PlanOutcome::Resumed(version) if self.is_written(dataset, version).await? => {
                Ok(Planned::UnderWay(version))
            }
            PlanOutcome::Resumed(version) | PlanOutcome::Planned(version) => {
                let rows = plans.iter().map(|plan| plan.samples.len() as u64).sum();
                let document = VersionPlanDocument {
                    dataset: dataset.clone(),
                    version,
                    input_digest: digest,
                    rows,
                    settings,
                };
                self.write(plans, &document).await?;
                Ok(Planned::Version(version))
            }
        }
    }

    /// The map from records to images is kept for whoever asks later.
    async fn write_links(
        &self,
        dataset: &DatasetName,
        annotated: &DatasetAnnotations,
    ) -> Result<(), StageError> {
        for page in annotated.links.chunks(LINKS) {
            self.store.link_annotations(dataset, page).await?;
        }
        Ok(())
    }

    /// Orders the samples of each variant and split by the seed and cuts them into shards of even size.
    fn pack(&self, parts: Vec<ShardPlan>) -> Vec<ShardPlan> {
        let mut plans = Vec::new();
        for mut part in parts {
            shards::sort_seeded(&self.settings.seed, &mut part.samples, |sample| sample.image_id);
            plans.extend(part.cut(self.settings.shard_bytes));
        }
        plans
    }

    /// Writes the shards' plans, then the version's, which is the last that workers come to.
    async fn write(&self, plans: Vec<ShardPlan>, document: &VersionPlanDocument) -> Result<(), StageError> {
        let (dataset, version) = (&document.dataset, document.version);
        for plan in plans {
            let plan = ShardPlan { version, ..plan };
            let key = layout::PlanKey::Shard {
                variant: plan.variant.clone(),
                split: plan.split,
                number: plan.number,
            };
            self.write_document(&plan, &key.uri(&self.plans, dataset, version)).await?;
        }
        self.write_document(document, &layout::PlanKey::Version.uri(&self.plans, dataset, version)).await
    }

    /// The version's plan is written after all others.
    async fn is_written(&self, dataset: &DatasetName, version: VersionNumber) -> Result<bool, StageError> {
        match self.blobs.head(&layout::PlanKey::Version.uri(&self.plans, dataset, version)).await {
            Ok(_) => Ok(true),
            Err(StorageError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Plans are written once: a worker may have claimed the one that is there.
    async fn write_document(&self, document: &impl serde::Serialize, uri: &S3Uri) -> Result<(), StageError> {
        let json = serde_json::to_vec(document).expect("a plan is plain JSON");
        let options = PutOptions {
            content_type: Some("application/json".to_owned()),
            if_absent: true,
            ..PutOptions::default()
        };
        self.blobs.write(Bytes::from(json), uri, &options).await?;
        Ok(())
    }
}

fn parse_policy(canonical: &str) -> Result<Value, StageError> {
    serde_json::from_str(canonical)
        .map_err(|error| StageError::rejected(RejectCode::InvalidRequest, error.to_string()))
}

/// Every split of every variant, in the order of manifests.
fn splits_of(variant: &str) -> impl Iterator<Item = (String, Split)> + '_ {
    Split::ALL.into_iter().map(move |split| (variant.to_owned(), split))
}
