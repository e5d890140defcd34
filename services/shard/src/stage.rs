//! The stage: one planned shard, or the end of a version.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dataset_builder::{
    ShardPlan, VersionFiles, VersionPlanDocument, build_shard, parse_document, shard_demand,
};
use manifest_store::{ClaimKey, ClaimStatus, Effect, PlannedShard, Settlement, ShardStatus, VersionState};
use object_storage::ObjectSummary;
use pipeline::{
    Accepted, Demand, IgnoreReason, Input, InputMode, Outcome, Processed, Route, Stage, StageError, Work,
};
use serde_json::json;
use types::{DatasetName, PolicyHash, RejectCode, RejectReason, S3Uri, ShardEntry, StageName, layout};

const MAX_PLAN_BYTES: u64 = 256 << 20;
/// More than a row of `samples.parquet` takes even uncompressed: two keys of at most 1,024 bytes decide.
const TABLE_BYTES_PER_ROW: u64 = 4 << 10;
/// Shards looked at to find out why a version is not complete: they are built in this order.
const MISSING_LOOKED_AT: usize = 32;
const NOT_READY: Duration = Duration::from_secs(1);

/// Stage 3.
#[derive(Debug)]
pub struct Shard {
    input: S3Uri,
    output: S3Uri,
}

/// What the object under work asks for.
enum Plan {
    Shard(Box<ShardPlan>),
    Version(Box<VersionPlanDocument>),
}

impl Shard {
    /// Builds the plans below `input` into gold below `output`.
    pub fn new(input: S3Uri, output: S3Uri) -> Self {
        Self { input, output }
    }

    fn parse(object: &S3Uri, document: &Bytes) -> Result<Plan, RejectReason> {
        if object.key().ends_with("/version.json") {
            Ok(Plan::Version(parse_document(document)?))
        } else {
            Ok(Plan::Shard(parse_document(document)?))
        }
    }

    async fn build(&self, work: &Work, plan: ShardPlan) -> Result<Processed, StageError> {
        let folder = layout::version(&self.output, &plan.dataset, plan.version).join(&plan.variant);
        let (version, number) = (plan.version, plan.number);
        let uri = &work.object.object.uri;
        let built = build_shard(Arc::new(plan), work.blobs.as_ref(), &work.workspace, &folder, uri).await?;
        Ok(Processed {
            metadata: json!({ "version": version, "shard": built.entry }),
            outputs: built.outputs,
            lineage: built.lineage,
            effects: vec![Effect::ShardBuilt { version, number, shard: built.entry }],
            ..Processed::default()
        })
    }

    async fn publish(&self, work: &Work, document: &VersionPlanDocument) -> Result<Outcome, StageError> {
        let (dataset, version) = (&document.dataset, document.version);
        let statuses = work.store.shards(dataset, version).await?;
        let Some(shards) = self.all_built(&statuses, document) else {
            self.refuse_if_stuck(work, &statuses, document).await?;
            return Ok(Outcome::NotReady { retry_in: NOT_READY });
        };
        let files = VersionFiles {
            document,
            folder: layout::version(&self.output, dataset, version),
            plan_uri: work.object.object.uri.clone(),
            shards,
        };
        let finished = files.finish(work.blobs.as_ref(), &work.workspace, Vec::new()).await?;
        let published = Effect::VersionPublished {
            version,
            manifest_uri: finished.manifest.uri.clone(),
            manifest_sha256: finished.manifest.sha256,
        };
        let processed = Processed {
            metadata: json!({ "version": version, "input_digest": document.input_digest }),
            outputs: finished.outputs,
            finals: vec![finished.manifest],
            lineage: finished.lineage,
            effects: vec![published],
        };
        Ok(processed.into())
    }

    fn all_built(
        &self,
        statuses: &[ShardStatus],
        document: &VersionPlanDocument,
    ) -> Option<Vec<(ShardEntry, S3Uri)>> {
        let with_plan = |status: &ShardStatus| {
            status.built.clone().map(|shard| (shard, self.plan_uri(&status.planned, document)))
        };
        statuses.iter().map(with_plan).collect()
    }

    fn plan_uri(&self, planned: &PlannedShard, document: &VersionPlanDocument) -> S3Uri {
        let key = layout::PlanKey::Shard {
            variant: planned.variant.clone(),
            split: planned.split,
            number: planned.number,
        };
        key.uri(&self.input, &document.dataset, document.version)
    }

    /// A version one of whose shards is in quarantine would wait for ever: it goes there too, until both are
    /// redriven.
    async fn refuse_if_stuck(
        &self,
        work: &Work,
        statuses: &[ShardStatus],
        document: &VersionPlanDocument,
    ) -> Result<(), StageError> {
        let missing = statuses.iter().filter(|status| status.built.is_none());
        for status in missing.take(MISSING_LOOKED_AT) {
            let uri = self.plan_uri(&status.planned, document);
            let object = work.blobs.head(&uri).await?.object;
            let key = ClaimKey { object, ..work.claim.key.clone() };
            let known = work.store.statuses(&[key]).await?;
            if let Some(ClaimStatus::Settled(Settlement::Rejected(reason))) = known.first() {
                let detail = format!("{uri} was rejected: {reason}");
                return Err(StageError::rejected(RejectCode::InputMissing, detail));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Stage for Shard {
    fn name(&self) -> StageName {
        StageName::Shard
    }

    fn policy(&self) -> PolicyHash {
        // A plan says all there is to say: the stage has no settings of its own.
        PolicyHash::of("imageml-shard-1")
    }

    fn input(&self) -> InputMode {
        InputMode::Document { max_bytes: MAX_PLAN_BYTES }
    }

    fn manifest_folder(&self, dataset: &DatasetName) -> S3Uri {
        layout::manifest_folder(&self.output, dataset, StageName::Shard)
    }

    fn route(&self, object: &ObjectSummary) -> Route {
        match layout::plan_dataset(&self.input, &object.object.uri) {
            Some(dataset) => Route::Accept(Accepted { dataset }),
            None => Route::Ignore(IgnoreReason::OtherKey),
        }
    }

    fn demand(&self, object: &ObjectSummary, document: Option<&Bytes>) -> Result<Demand, RejectReason> {
        let missing = || RejectReason::new(RejectCode::InvalidRequest, "the plan was not read");
        let nvme_bytes = match Self::parse(&object.object.uri, document.ok_or_else(missing)?)? {
            Plan::Shard(plan) => shard_demand(&plan),
            Plan::Version(document) => document.rows.saturating_mul(TABLE_BYTES_PER_ROW),
        };
        Ok(Demand { nvme_bytes })
    }

    async fn process(&self, work: &Work) -> Result<Outcome, StageError> {
        let Input::Document(document) = &work.input else {
            return Err(StageError::rejected(RejectCode::InvalidRequest, "expected a plan"));
        };
        let plan = Self::parse(&work.object.object.uri, document).map_err(StageError::Rejected)?;
        let (dataset, version) = match &plan {
            Plan::Shard(plan) => (&plan.dataset, plan.version),
            Plan::Version(document) => (&document.dataset, document.version),
        };
        if dataset != work.dataset() {
            return Err(StageError::rejected(
                RejectCode::InvalidRequest,
                "the plan is for another dataset than its key says",
            ));
        }
        if work.store.version(dataset, version).await?.state == VersionState::Abandoned {
            return Ok(Processed { metadata: json!({ "abandoned": true }), ..Processed::default() }.into());
        }
        match plan {
            Plan::Shard(plan) => Ok(self.build(work, *plan).await?.into()),
            Plan::Version(document) => self.publish(work, &document).await,
        }
    }
}
