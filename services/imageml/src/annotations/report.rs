//! `imageml annotations report`: what there is, what is used, and what is not, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use annotations::{Record, Refusal, SetAside};
use anyhow::Context as _;
use dataset_builder::{DatasetAnnotations, annotation_imports, carry};
use manifest_store::{AnnotationImport, ImportRecord, RejectedRecord};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::{DatasetName, RejectCode, S3Uri, Split, VersionNumber, layout};

use crate::arguments::BackendArguments;
use crate::backend::Backend;
use crate::output;
use crate::published::Published;
use crate::rejected;

const MAX_REPORT_BYTES: u64 = 256 << 20;
/// Rows that people read; scripts get all.
const MOST_ROWS: usize = 50;

/// How often a class is there.
#[derive(Debug, Default, Serialize)]
struct ClassCount {
    regions: u64,
    images: u64,
    splits: BTreeMap<Split, u64>,
}

/// What a published variant holds.
#[derive(Debug, Default, Serialize)]
struct VariantCount {
    samples: u64,
    reviewed: u64,
    regions: u64,
    classes: BTreeMap<String, ClassCount>,
    dropped: BTreeMap<&'static str, u64>,
}

/// A version that is published.
#[derive(Debug, Serialize)]
struct VersionReport {
    version: VersionNumber,
    variants: BTreeMap<String, VariantCount>,
}

/// Something that is not used, and why.
#[derive(Debug, Serialize)]
struct Refused {
    /// The file that it was refused of; none where it found no image of its own.
    file: Option<S3Uri>,
    #[serde(flatten)]
    refusal: Refusal,
}

/// Everything.
struct Report {
    imports: Vec<ImportRecord>,
    annotations: DatasetAnnotations,
    /// What was refused when it was read or checked, and what found no image.
    refused: Vec<Refused>,
    /// Files of which nothing was imported.
    rejected: Vec<RejectedRecord>,
    latest: Option<VersionReport>,
}

pub(crate) async fn run(name: &DatasetName, arguments: &BackendArguments) -> anyhow::Result<ExitCode> {
    let backend = Backend::open(arguments).await?;
    let report = Report::load(&backend, name).await;
    backend.close().await;
    let report = report?;
    if arguments.json {
        output::json(&report.document(name))?;
    } else {
        report.print(name)?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Report {
    async fn load(backend: &Backend, name: &DatasetName) -> anyhow::Result<Self> {
        let dataset = backend.store().dataset(name).await?;
        let latest = match dataset.latest {
            Some(version) => Some(version_report(backend, name, version).await?),
            None => None,
        };
        let imports = annotation_imports(backend.store(), name).await?;
        let annotations = DatasetAnnotations::load(backend.store(), name).await?;
        let mut refused = Vec::new();
        for record in imports.iter().filter(|record| record.active) {
            refused.extend(refused_at_import(backend, &record.import).await?);
        }
        refused.extend(annotations.refused.iter().cloned().map(|refusal| Refused { file: None, refusal }));
        let rejected = rejected_files(backend, name, &imports).await?;
        Ok(Self { imports, annotations, refused, rejected, latest })
    }

    fn document(&self, name: &DatasetName) -> Value {
        let annotations = &self.annotations;
        let joined: BTreeMap<_, _> =
            annotations.joined_by.iter().map(|(rule, count)| (rule.as_str(), count)).collect();
        json!({
            "dataset": name,
            "imports": self.imports.iter().map(|import| self.import_document(import)).collect::<Vec<_>>(),
            "categories": annotations.categories.by_id(),
            "joined_by": joined,
            "used": {
                "records": annotations.used.len(),
                "regions": annotations.used.values().map(|record| record.regions.len()).sum::<usize>(),
            },
            "set_aside": annotations.set_aside.iter().map(set_aside_document).collect::<Vec<_>>(),
            "refused": self.refused,
            "rejected": self.rejected.iter().map(rejected_document).collect::<Vec<_>>(),
            "latest": self.latest,
        })
    }

    fn print(&self, name: &DatasetName) -> anyhow::Result<()> {
        let annotations = &self.annotations;
        let regions: usize = annotations.used.values().map(|record| record.regions.len()).sum();
        output::line(format!(
            "{name}: {} imports; {} records with {regions} regions are used, {} are set aside, {} are refused",
            self.imports.len(),
            annotations.used.len(),
            annotations.set_aside.len(),
            self.refused.len(),
        ))?;
        self.print_imports()?;
        if let Some(latest) = &self.latest {
            print_version(latest)?;
        }
        print_set_aside(&annotations.set_aside)?;
        print_refused(&self.refused)?;
        print_rejected(&self.rejected)
    }

    /// How many of an import's records count.
    fn in_use(&self, record: &ImportRecord) -> u64 {
        self.annotations.in_use.get(&record.import.id).copied().unwrap_or_default()
    }

    fn import_document(&self, record: &ImportRecord) -> Value {
        json!({
            "import": record.import,
            "active": record.active,
            "records_in_use": self.in_use(record),
            "report_uri": layout::annotation_report(&record.import.archive_uri),
            "imported_at": output::time(record.imported_at),
        })
    }

    fn print_imports(&self) -> anyhow::Result<()> {
        if self.imports.is_empty() {
            return Ok(());
        }
        let rows = self.imports.iter().map(|record| {
            let import = &record.import;
            let number = |name: &str| import.summary.get(name).map_or("-".to_owned(), Value::to_string);
            vec![
                import.source.uri.to_string(),
                import.annotation_format.to_string(),
                number("records"),
                if record.active { self.in_use(record).to_string() } else { "replaced".to_owned() },
                number("regions"),
                number("refused"),
                output::time(record.imported_at),
            ]
        });
        let header = ["file", "format", "records", "in use", "regions", "refused", "imported"];
        output::line(format!("\n{}", output::table(&header, &[2, 3, 4, 5], rows)))
    }
}

fn print_version(latest: &VersionReport) -> anyhow::Result<()> {
    let count = |class: &ClassCount, split| class.splits.get(&split).copied().unwrap_or_default().to_string();
    let rows = latest.variants.iter().flat_map(|(variant, counted)| {
        counted.classes.iter().map(move |(name, class)| {
            let mut row =
                vec![variant.clone(), name.clone(), class.regions.to_string(), class.images.to_string()];
            row.extend(Split::ALL.map(|split| count(class, split)));
            row
        })
    });
    let header = ["variant", "class", "regions", "images", "train", "val", "test"];
    output::line(format!("\n{}\n{}", latest.version, output::table(&header, &[2, 3, 4, 5, 6], rows)))?;
    for (variant, counted) in &latest.variants {
        let VariantCount { samples, reviewed, dropped, .. } = counted;
        let dropped: Vec<_> = dropped.iter().map(|(why, count)| format!("{count} {why}")).collect();
        let dropped = if dropped.is_empty() { "nothing".to_owned() } else { dropped.join(", ") };
        output::line(format!("{variant}: {reviewed} of {samples} samples reviewed, dropped: {dropped}"))?;
    }
    Ok(())
}

fn print_set_aside(set_aside: &[(Record, String, SetAside)]) -> anyhow::Result<()> {
    if set_aside.is_empty() {
        return Ok(());
    }
    let rows = set_aside.iter().map(|(record, key, why)| {
        vec![
            why.as_str().to_owned(),
            key.clone(),
            record.regions.len().to_string(),
            record.item().to_string(),
        ]
    });
    output::line(format!("\n{}", output::table(&["set aside", "image", "regions", "record"], &[2], rows)))
}

fn print_refused(refused: &[Refused]) -> anyhow::Result<()> {
    if refused.is_empty() {
        return Ok(());
    }
    let rows = refused.iter().take(MOST_ROWS).map(|Refused { file, refusal }| {
        let name = file.as_ref().map(|file| file.key().rsplit('/').next().unwrap_or_default().to_owned());
        let (code, record) = (refusal.code.to_string(), refusal.item.to_string());
        vec![code, name.unwrap_or_default(), record, refusal.detail.clone()]
    });
    output::line(format!("\n{}", output::table(&["refused", "file", "record", "detail"], &[], rows)))?;
    match refused.len().saturating_sub(MOST_ROWS) {
        0 => Ok(()),
        more => output::line(format!("and {more} more: --json lists them all")),
    }
}

fn print_rejected(rejected: &[RejectedRecord]) -> anyhow::Result<()> {
    if rejected.is_empty() {
        return Ok(());
    }
    let rows = rejected.iter().map(|record| {
        let (uri, reason) = (record.key.object.uri.to_string(), &record.reason);
        vec![reason.code.to_string(), uri, reason.detail.clone()]
    });
    output::line(format!("\n{}", output::table(&["rejected", "file", "detail"], &[], rows)))
}

fn rejected_document(record: &RejectedRecord) -> Value {
    json!({
        "file": record.key.object.uri, "reason": record.reason.code, "detail": record.reason.detail,
    })
}

/// What the report beside an import's archived file lists.
async fn refused_at_import(backend: &Backend, import: &AnnotationImport) -> anyhow::Result<Vec<Refused>> {
    #[derive(Deserialize)]
    struct Listed {
        refusals: Vec<Refusal>,
    }
    let uri = layout::annotation_report(&import.archive_uri);
    let report = backend.blobs().read(&uri, MAX_REPORT_BYTES).await?;
    let listed: Listed = serde_json::from_slice(&report).with_context(|| uri.to_string())?;
    let refused = |refusal| Refused { file: Some(import.source.uri.clone()), refusal };
    Ok(listed.refusals.into_iter().map(refused).collect())
}

/// Annotation files in quarantine, but for those that were imported since.
async fn rejected_files(
    backend: &Backend,
    name: &DatasetName,
    imports: &[ImportRecord],
) -> anyhow::Result<Vec<RejectedRecord>> {
    let mut found = rejected::all(backend.store(), name).await?;
    found.retain(|record| {
        let code = record.reason.code;
        let imported = imports.iter().any(|import| import.import.source.uri == record.key.object.uri);
        matches!(code, RejectCode::InvalidAnnotations | RejectCode::ConverterMissing) && !imported
    });
    Ok(found)
}

fn set_aside_document((record, key, why): &(Record, String, SetAside)) -> Value {
    json!({
        "why": why.as_str(),
        "image_key": key,
        "record": record.id,
        "item": record.item(),
        "regions": record.regions.len(),
    })
}

async fn version_report(
    backend: &Backend,
    name: &DatasetName,
    version: VersionNumber,
) -> anyhow::Result<VersionReport> {
    let published = Published::open(backend, name, version).await?;
    let settings = published.settings.clone();
    let mut variants: BTreeMap<String, VariantCount> = BTreeMap::new();
    for sample in published.samples()? {
        let sample = sample?;
        let counted = variants.entry(sample.variant.clone()).or_default();
        counted.samples += 1;
        let Some(record) = &sample.sample.annotation else { continue };
        counted.reviewed += 1;
        let carried = carry(record, &sample.sample, &settings);
        counted.regions += carried.regions.len() as u64;
        for (why, count) in carried.dropped {
            *counted.dropped.entry(why).or_default() += count;
        }
        let labels: Vec<_> = carried.regions.iter().flat_map(|(region, _)| &region.labels).collect();
        for label in &labels {
            let class = counted.classes.entry((*label).clone()).or_default();
            class.regions += 1;
            *class.splits.entry(sample.split).or_default() += 1;
        }
        for label in labels.into_iter().collect::<BTreeSet<_>>() {
            counted.classes.entry(label.clone()).or_default().images += 1;
        }
    }
    Ok(VersionReport { version, variants })
}
