//! `imageml annotations report`: what there is, what is used, and what is not, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use annotations::{Record, Refusal, SetAside};
use dataset_builder::{DatasetAnnotations, carry};
use manifest_store::{ImportRecord, ManifestStore};
use serde::Serialize;
use serde_json::{Value, json};
use types::{DatasetName, Split, VersionNumber};

use crate::arguments::BackendArguments;
use crate::backend::Backend;
use crate::output;
use crate::published::Published;

const PAGE: u32 = 1_000;

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

/// Everything.
struct Report {
    imports: Vec<ImportRecord>,
    annotations: DatasetAnnotations,
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
        Ok(Self {
            imports: imports(backend.store(), name).await?,
            annotations: DatasetAnnotations::load(backend.store(), name).await?,
            latest,
        })
    }

    fn document(&self, name: &DatasetName) -> Value {
        let annotations = &self.annotations;
        let joined: BTreeMap<_, _> =
            annotations.joined_by.iter().map(|(rule, count)| (rule.as_str(), count)).collect();
        json!({
            "dataset": name,
            "imports": self.imports.iter().map(import_document).collect::<Vec<_>>(),
            "categories": annotations.categories.by_id(),
            "joined_by": joined,
            "used": {
                "records": annotations.used.len(),
                "regions": annotations.used.values().map(|record| record.regions.len()).sum::<usize>(),
            },
            "set_aside": annotations.set_aside.iter().map(set_aside_document).collect::<Vec<_>>(),
            "refused": annotations.refused,
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
            annotations.refused.len(),
        ))?;
        self.print_imports()?;
        if let Some(latest) = &self.latest {
            print_version(latest)?;
        }
        print_set_aside(&annotations.set_aside)?;
        print_refused(&annotations.refused)
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
                if record.active { "yes" } else { "replaced" }.to_owned(),
                number("records"),
                number("regions"),
                number("refused"),
                output::time(record.imported_at),
            ]
        });
        let header = ["file", "format", "counts", "records", "regions", "refused", "imported"];
        output::line(format!("\n{}", output::table(&header, &[3, 4, 5], rows)))
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

fn print_refused(refused: &[Refusal]) -> anyhow::Result<()> {
    if refused.is_empty() {
        return Ok(());
    }
    let rows = refused
        .iter()
        .map(|refusal| vec![refusal.code.to_string(), refusal.item.to_string(), refusal.detail.clone()]);
    output::line(format!("\n{}", output::table(&["refused", "record", "detail"], &[], rows)))
}

fn import_document(record: &ImportRecord) -> Value {
    json!({
        "import": record.import,
        "active": record.active,
        "imported_at": output::time(record.imported_at),
    })
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

/// Every import of a dataset, oldest first.
pub(super) async fn imports(
    store: &dyn ManifestStore,
    name: &DatasetName,
) -> anyhow::Result<Vec<ImportRecord>> {
    let mut all: Vec<ImportRecord> = Vec::new();
    loop {
        let page = store.annotation_imports(name, all.last().map(|last| last.sequence), PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
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
