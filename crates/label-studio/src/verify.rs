//! Records are converted by the SDK too, and it has to come to the same result.

mod compare;
mod from_coco;
mod label_config;
mod report;
mod select;
mod to_coco;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use annotations::{Format, Record, Registry};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use types::Sha256;

use self::compare::Comparison;
pub use self::compare::{Disagreement, TOLERANCE};
pub use self::report::ConversionReport;
pub use self::select::Exception;
use self::select::{Planned, SdkShape};
use crate::worker::Operation;
use crate::{LabelStudioError, Worker};

/// Records per request: a second or two of the SDK's time, and well under 100 MB of its memory.
const BATCH: usize = 500;
/// Points per request, for records with long polygons.
const BATCH_POINTS: usize = 100_000;
/// What stands for images: their names are never the SDK's business, which looks for files and URLs behind them.
const SURROGATE_ROOT: &str = "s3://imageml";

/// A record to be compared.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// What we made of the annotation.
    pub record: &'a Record,
    /// The annotation's `result` as it is in a Label Studio file, if it is at hand: then the SDK is given the file's
    /// own numbers and is a witness of how they were read; else those of the record.
    pub original: Option<&'a Value>,
}

/// What the SDK says of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It comes to the same result in all that it was given.
    Verified,
    /// It does not.
    Disagrees(Vec<Disagreement>),
}

/// Compares the records of one import.
#[derive(Debug)]
pub struct Verifier {
    worker: Worker,
    categories: Registry,
    scratch: TempDir,
    report: ConversionReport,
}

impl Verifier {
    /// A verifier for records that came from `format`. Every label that is to be compared is among the categories.
    ///
    /// # Errors
    /// [`LabelStudioError::Io`]: no temporary folder.
    pub fn new(worker: Worker, format: Format, categories: Registry) -> Result<Self, LabelStudioError> {
        let scratch = TempDir::with_prefix("label-studio-")
            .map_err(|source| LabelStudioError::Io { path: std::env::temp_dir(), source })?;
        let report = ConversionReport {
            sdk_version: worker.versions().sdk.clone(),
            format,
            records: 0,
            by_sdk: BTreeMap::new(),
            by_us: BTreeMap::new(),
            disagreeing: 0,
            elapsed: Duration::ZERO,
            settings: settings(&worker, format, &categories),
        };
        Ok(Self { worker, categories, scratch, report })
    }

    /// What was seen so far.
    pub fn report(&self) -> &ConversionReport {
        &self.report
    }

    /// Gives the worker back, for the next import.
    pub fn into_worker(self) -> Worker {
        self.worker
    }

    /// The verdicts on some records, in their order. Any number of them: they go to the SDK in batches.
    ///
    /// Cancel safety: records of a dropped call may be counted in the report, or not.
    ///
    /// # Errors
    /// The worker cannot be started, dies twice or takes too long; the records were not compared.
    pub async fn verify(&mut self, candidates: &[Candidate<'_>]) -> Result<Vec<Verdict>, LabelStudioError> {
        let mut verdicts = vec![Verdict::Verified; candidates.len()];
        let mut batch = Vec::new();
        let mut points = 0;
        for (index, candidate) in candidates.iter().enumerate() {
            let Some(planned) = self.plan(index, candidate) else { continue };
            points += planned.regions.iter().map(|region| region.shape.points()).sum::<usize>();
            batch.push(planned);
            if batch.len() >= BATCH || points >= BATCH_POINTS {
                self.verify_batch(std::mem::take(&mut batch), &mut verdicts).await?;
                points = 0;
            }
        }
        if !batch.is_empty() {
            self.verify_batch(batch, &mut verdicts).await?;
        }
        Ok(verdicts)
    }

    /// What of a record goes to the SDK; counts all of it.
    fn plan(&mut self, index: usize, candidate: &Candidate<'_>) -> Option<Planned> {
        let (planned, exceptions) = select::select(index, candidate, &self.categories);
        self.report.records += 1;
        for exception in exceptions {
            *self.report.by_us.entry(exception).or_default() += 1;
        }
        for region in planned.iter().flat_map(|planned| &planned.regions) {
            let kind = match region.shape {
                SdkShape::Box(_) => "box",
                SdkShape::Ring(_) => "polygon",
            };
            *self.report.by_sdk.entry(kind).or_default() += 1;
        }
        planned
    }

    /// One request; where the SDK fails as a whole, halves of it, until the record is found that it fails over.
    async fn verify_batch(
        &mut self,
        batch: Vec<Planned>,
        verdicts: &mut [Verdict],
    ) -> Result<(), LabelStudioError> {
        let mut pending = vec![batch];
        while let Some(mut batch) = pending.pop() {
            let (batch_back, outcome) = self.convert(batch).await?;
            batch = batch_back;
            let found = match outcome {
                Ok(found) => found,
                Err(failure) if batch.len() == 1 => failed(&batch, &failure),
                Err(_) => {
                    let second = batch.split_off(batch.len() / 2);
                    pending.extend([second, batch]);
                    continue;
                }
            };
            for (planned, found) in batch.iter().zip(found) {
                if let (false, Some(verdict)) = (found.is_empty(), verdicts.get_mut(planned.index)) {
                    self.report.disagreeing += 1;
                    *verdict = Verdict::Disagrees(found);
                }
            }
        }
        Ok(())
    }

    /// The differences of each record, or why the SDK failed over the batch.
    async fn convert(
        &mut self,
        batch: Vec<Planned>,
    ) -> Result<(Vec<Planned>, Result<Vec<Vec<Disagreement>>, String>), LabelStudioError> {
        let files = Files::below(self.scratch.path());
        let (format, categories) = (self.report.format, self.categories.clone());
        let written = files.clone();
        let batch = blocking(move || written.write(format, &batch, &categories).map(|()| batch)).await?;
        let operation = match format {
            Format::LabelStudio => Operation::LsToCoco {
                input_path: &files.input,
                output_dir: &files.output,
                label_config_path: &files.label_config,
            },
            Format::Coco => Operation::CocoToLs {
                input_path: &files.input,
                output_dir: &files.output,
                image_root_url: SURROGATE_ROOT,
            },
        };
        let converted = match self.worker.convert(operation).await {
            Ok(converted) => converted,
            Err(LabelStudioError::Refused { code, message }) => {
                return Ok((batch, Err(format!("{code}: {message}"))));
            }
            Err(error) => return Err(error),
        };
        self.report.elapsed += converted.elapsed;
        blocking(move || {
            let found = read_and_compare(format, &batch, &converted.output)?;
            Ok((batch, found))
        })
        .await
    }
}

/// The files of one request. Requests are made one at a time, so they are those of every request.
#[derive(Debug, Clone)]
struct Files {
    input: PathBuf,
    label_config: PathBuf,
    output: PathBuf,
}

impl Files {
    fn below(folder: &Path) -> Self {
        let [input, label_config, output] =
            ["input.json", "label_config.xml", "output"].map(|name| folder.join(name));
        Self { input, label_config, output }
    }

    fn write(
        &self,
        format: Format,
        batch: &[Planned],
        categories: &Registry,
    ) -> Result<(), LabelStudioError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| LabelStudioError::Io { path, source }
        };
        // Nothing of an earlier request can be taken for the result of this one.
        if let Err(error) = std::fs::remove_dir_all(&self.output)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(io(&self.output)(error));
        }
        std::fs::create_dir(&self.output).map_err(io(&self.output))?;
        match format {
            Format::LabelStudio => {
                let xml = label_config::label_config(categories);
                std::fs::write(&self.label_config, xml).map_err(io(&self.label_config))?;
                write_json(&self.input, &to_coco::tasks(batch))
            }
            Format::Coco => write_json(&self.input, &from_coco::document(batch, categories)),
        }
        .map_err(io(&self.input))
    }
}

fn write_json(path: &Path, document: &impl Serialize) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer(&mut file, document)?;
    file.flush()
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, LabelStudioError> {
    let file = File::open(path).map_err(|source| LabelStudioError::Io { path: path.to_owned(), source })?;
    serde_json::from_reader(BufReader::new(file))
        .map_err(|error| LabelStudioError::Unreadable { detail: error.to_string() })
}

/// The differences of each record; a result that makes no sense as a whole is a failure over the batch.
fn read_and_compare(
    format: Format,
    batch: &[Planned],
    output: &Path,
) -> Result<Result<Vec<Vec<Disagreement>>, String>, LabelStudioError> {
    let compared = match format {
        Format::LabelStudio => read_json(output).map(|result| to_coco::compare(batch, &result)),
        Format::Coco => read_json::<Vec<_>>(output).map(|tasks| from_coco::compare(batch, &tasks)),
    };
    match compared {
        Err(LabelStudioError::Unreadable { detail }) => Ok(Err(detail)),
        other => other,
    }
}

fn failed(batch: &[Planned], failure: &str) -> Vec<Vec<Disagreement>> {
    let failed = |planned| {
        let mut comparison = Comparison::of(planned);
        comparison.differs("conversion", "something that can be converted", failure);
        comparison.found
    };
    batch.iter().map(failed).collect()
}

/// The name of the image of a batch's record.
fn surrogate(number: usize) -> String {
    format!("{SURROGATE_ROOT}/{}", surrogate_file(number))
}

fn surrogate_file(number: usize) -> String {
    format!("{number}.jpg")
}

/// How conversions are made, for manifests.
fn settings(worker: &Worker, format: Format, categories: &Registry) -> Map<String, Value> {
    let operation = match format {
        Format::LabelStudio => "ls_to_coco",
        Format::Coco => "coco_to_ls",
    };
    let numbers: BTreeMap<_, _> = categories
        .by_id()
        .into_iter()
        .map(|category| (category.definition.name.clone(), category.id))
        .collect();
    let versions = worker.versions();
    let settings = json!({
        "operation": operation,
        "worker_version": versions.worker,
        "protocol_version": versions.protocol,
        "batch_records": BATCH,
        "python_hash_seed": 0,
        "label_config_sha256": Sha256::of(label_config::label_config(categories)).to_hex(),
        "categories": numbers,
    });
    match settings {
        Value::Object(settings) => settings,
        _ => Map::new(),
    }
}

/// Files and JSON away from tokio's own threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LabelStudioError> + Send + 'static,
) -> Result<T, LabelStudioError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(LabelStudioError::Unreadable { detail: error.to_string() }),
    }
}
