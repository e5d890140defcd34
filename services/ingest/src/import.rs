//! Annotation files: read by us, checked by the converters of the Label Studio SDK, kept as they are.

use std::collections::{BTreeMap, BTreeSet};

use annotations::{Item, Record, Refusal, SELECTION_POLICY};
use bytes::Bytes;
use label_studio::{
    Candidate, ConversionReport, LabelStudioError, Verdict, Verifier, Worker, WorkerSettings,
};
use manifest_store::{AnnotationImport, Effect};
use pipeline::{Content, MemoryPermit, Output, Processed, StageError, Work};
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use types::{
    DatasetName, Disposition, LineageEdge, RejectCode, RejectReason, Relation, S3Uri, Sha256, layout,
};

use crate::annotation_file::{AnnotationFile, ReadSettings};
use crate::parts::{Part, ReadRecord};

/// About what an import takes of memory, in sizes of its file: the file, and COCO's records beside it.
const COPIES: u64 = 4;

/// What became of an annotation file's place in bronze.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    pub(crate) dataset: DatasetName,
    pub(crate) uri: S3Uri,
    pub(crate) bytes: u64,
    pub(crate) sha256: Sha256,
    pub(crate) content: Content,
}

/// How annotation files are imported.
#[derive(Debug, Clone, Default)]
pub struct ImportSettings {
    /// How they are read.
    pub read: ReadSettings,
    /// A file of which anything is refused is rejected as a whole.
    pub strict: bool,
    /// Where the converters of the Label Studio SDK are; without them, annotation files are rejected.
    pub worker: Option<WorkerSettings>,
}

impl ImportSettings {
    /// The settings that change what an import is.
    pub fn canonical(&self) -> Value {
        json!({ "read": self.read, "strict": self.strict })
    }
}

/// Imports annotation files. One worker, started for the first of them and used by one at a time.
#[derive(Debug, Default)]
pub(crate) struct Importer {
    settings: ImportSettings,
    worker: Mutex<Option<Worker>>,
}

impl Importer {
    pub(crate) fn new(settings: ImportSettings) -> Self {
        Self { settings, worker: Mutex::default() }
    }

    /// Reads, checks and stores a file's records. They count from the publication of what this returns.
    pub(crate) async fn import(&self, work: &Work, archive: Archive) -> Result<Processed, StageError> {
        // One at a time, from the file's first byte in memory on: there is one worker, and who waits for it holds nothing.
        let mut slot = self.worker.lock().await;
        let wanted = archive.bytes.saturating_mul(COPIES);
        // Images go on beside it.
        let permit = work.memory.acquire(wanted.min(work.memory.bytes() / 2)).await;
        let data = work.read_input().await?;
        let (parts, reading) = self.read(data, permit);
        let stored = self.check_and_store(work, &archive.dataset, parts, &mut slot).await;
        drop(slot);
        let read = reading.await.map_err(|_| StageError::Panicked(pipeline::Panicked))?;
        let mut file = read.map_err(StageError::Rejected)?;
        let Some(Stored { report, kept, disagreements }) = stored? else {
            return Err(StageError::rejected(RejectCode::InvalidAnnotations, "nothing of it was read"));
        };
        file.refusals.extend(disagreements);
        self.refuse_useless(&file, kept)?;
        let summary = summary(&file, kept, &report);
        let import = AnnotationImport {
            id: self.import_id(work),
            source: work.object.object.clone(),
            archive_uri: archive.uri.clone(),
            archive_sha256: archive.sha256,
            annotation_format: report.format,
            converter_version: report.sdk_version.clone(),
            conversion_parameters: self.parameters(&report),
            categories: file.categories.clone(),
            summary,
        };
        Ok(publication(work, import, archive, &file.refusals))
    }

    /// Reads on a thread that may wait: not on one of the CPU pool, since it goes no faster than the converters.
    fn read(
        &self,
        data: Bytes,
        permit: MemoryPermit,
    ) -> (mpsc::Receiver<Part>, JoinHandle<Result<AnnotationFile, RejectReason>>) {
        let settings = self.settings.read.clone();
        let (sender, parts) = mpsc::channel(1);
        let reading = tokio::task::spawn_blocking(move || {
            let read = AnnotationFile::read(&data, &settings, &sender);
            drop((data, permit));
            read
        });
        (parts, reading)
    }

    /// Repeated work on the same object is the same import.
    fn import_id(&self, work: &Work) -> Sha256 {
        let object = &work.object.object;
        Sha256::of(json!([object.uri, object.version, self.settings.canonical()]).to_string())
    }

    /// Stores what the converters agree with; `None` where the file has no parts: whoever reads it says why.
    async fn check_and_store(
        &self,
        work: &Work,
        dataset: &DatasetName,
        mut parts: mpsc::Receiver<Part>,
        slot: &mut Option<Worker>,
    ) -> Result<Option<Stored>, StageError> {
        let Some(Part::Head(format, wanted)) = parts.recv().await else { return Ok(None) };
        let mut categories = work.store.categories(dataset).await?;
        categories.admit(&wanted);
        let worker = match slot.take() {
            Some(worker) => worker,
            None => self.start_worker().await?,
        };
        let id = self.import_id(work);
        let mut verifier = Verifier::new(worker, format, categories).map_err(failure)?;
        let (mut kept, mut disagreements) = (Counted::default(), Vec::new());
        while let Some(Part::Records(batch)) = parts.recv().await {
            // An error drops the worker with the verifier: the next attempt begins with a new one.
            let agreed = check(&mut verifier, batch, &mut disagreements).await?;
            work.store.put_annotations(dataset, &id, &agreed).await?;
            kept = agreed.iter().map(Counted::of).fold(kept, Counted::plus);
        }
        let report = verifier.report().clone();
        *slot = Some(verifier.into_worker());
        Ok(Some(Stored { report, kept, disagreements }))
    }

    async fn start_worker(&self) -> Result<Worker, StageError> {
        let Some(settings) = self.settings.worker.clone() else {
            let detail = "no converter of annotations is configured here";
            return Err(StageError::rejected(RejectCode::ConverterMissing, detail));
        };
        Worker::start(settings).await.map_err(failure)
    }

    /// A file of which nothing can be imported, or not all where all is asked for.
    fn refuse_useless(&self, file: &AnnotationFile, kept: Counted) -> Result<(), StageError> {
        let Some(first) = file.refusals.first() else { return Ok(()) };
        if self.settings.strict || kept.records == 0 {
            let detail = format!("{} refused, the first: {first}", file.refusals.len());
            return Err(StageError::rejected(RejectCode::InvalidAnnotations, detail));
        }
        Ok(())
    }

    fn parameters(&self, report: &ConversionReport) -> Map<String, Value> {
        let mut parameters = report.parameters();
        parameters.insert("import".to_owned(), self.settings.canonical());
        parameters.insert("selection".to_owned(), json!(SELECTION_POLICY));
        parameters
    }
}

/// What became of a file's records.
struct Stored {
    report: ConversionReport,
    kept: Counted,
    /// What the converters say something else of.
    disagreements: Vec<Refusal>,
}

/// What was stored of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counted {
    records: u64,
    regions: u64,
    boxes: u64,
}

impl Counted {
    fn of(record: &Record) -> Self {
        let boxes = record.regions.iter().filter(|region| matches!(region.shape, annotations::Shape::Box(_)));
        Self { records: 1, regions: record.regions.len() as u64, boxes: boxes.count() as u64 }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            records: self.records + other.records,
            regions: self.regions + other.regions,
            boxes: self.boxes + other.boxes,
        }
    }
}

impl ReadRecord {
    fn candidate(&self) -> Candidate<'_> {
        Candidate { record: &self.record, original: self.original.as_ref() }
    }
}

/// The records that the converters agree with; the others are refused.
async fn check(
    verifier: &mut Verifier,
    batch: Vec<ReadRecord>,
    refusals: &mut Vec<Refusal>,
) -> Result<Vec<Record>, StageError> {
    let candidates: Vec<_> = batch.iter().map(ReadRecord::candidate).collect();
    let verdicts = verifier.verify(&candidates).await.map_err(failure)?;
    let mut agreed = Vec::with_capacity(batch.len());
    for (read, verdict) in batch.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Verified => agreed.push(read.record),
            Verdict::Disagrees(found) => refusals.extend(found.into_iter().map(Refusal::from)),
        }
    }
    Ok(agreed)
}

fn failure(error: LabelStudioError) -> StageError {
    match error.disposition() {
        Disposition::Reject(reason) => StageError::Rejected(reason),
        Disposition::Retry { .. }
        | Disposition::Outage { .. }
        | Disposition::Cancelled
        | Disposition::Unknown => StageError::Helper(error.to_string()),
    }
}

fn summary(file: &AnnotationFile, kept: Counted, report: &ConversionReport) -> Value {
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    for refusal in &file.refusals {
        *codes.entry(refusal.code.as_str()).or_default() += 1;
    }
    let items: BTreeSet<_> = file.refusals.iter().map(|refusal| record_of(&refusal.item)).collect();
    json!({
        "records": kept.records,
        "regions": kept.regions,
        "boxes": kept.boxes,
        "refused": items.len(),
        "refusals": codes,
        "skipped": file.skipped,
        "checked_by_sdk": report.by_sdk,
    })
}

/// What a refusal costs: the record that it is about.
fn record_of(item: &Item) -> String {
    Item { region_id: None, category_id: None, ..item.clone() }.to_string()
}

/// The copy of the file, the list of what was refused, and the import.
fn publication(work: &Work, import: AnnotationImport, archive: Archive, refusals: &[Refusal]) -> Processed {
    let source_uri = work.object.object.uri.clone();
    let metadata = json!({ "annotations": import });
    let document = json!({ "source": import.source, "summary": import.summary, "refusals": refusals });
    let report = Output::document(
        layout::annotation_report(&archive.uri),
        "application/json",
        serde_json::to_vec_pretty(&document).expect("a report is plain JSON"),
        source_uri.clone(),
    );
    let copy = Output {
        content: archive.content,
        uri: archive.uri.clone(),
        content_type: "application/json",
        bytes: archive.bytes,
        sha256: archive.sha256,
        source_uri: source_uri.clone(),
        fields: Map::new(),
    };
    Processed {
        outputs: vec![copy, report],
        metadata,
        lineage: vec![LineageEdge { parent: source_uri, child: archive.uri, relation: Relation::Copied }],
        effects: vec![Effect::AnnotationsImported(Box::new(import))],
        ..Processed::default()
    }
}
