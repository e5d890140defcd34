//! `imageml normalize`: stage 2's computation on a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use futures::{StreamExt, stream};
use image_workers::ImageWorkers;
use indicatif::{ProgressBar, ProgressStyle};
use pipeline::{CpuPool, EngineSettings, MemoryBudget, StageError};
use serde::Serialize;
use serde_json::json;
use types::{NormalizationPolicy, RejectReason, SizeSpec, escape_key};
use walkdir::{DirEntry, WalkDir};

use crate::arguments::NormalizeArguments;
use crate::output;

#[derive(Debug, Serialize)]
struct Rejected {
    key: String,
    reason: RejectReason,
}

#[derive(Debug, Default, Serialize)]
struct Written {
    written: u64,
    bytes: u64,
}

pub(crate) async fn run(arguments: NormalizeArguments) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let policy = match arguments.policy.policy() {
        Ok(policy) => Arc::new(policy),
        Err(error) => return Ok(output::misuse(&error)),
    };
    let input = arguments.input.canonicalize();
    let input = input.with_context(|| format!("--input {}", arguments.input.display()))?;
    ensure!(input.is_dir(), "--input {} is not a folder", input.display());
    let target = real_path(&std::path::absolute(&arguments.output)?);
    keep_apart(&input, &target, &policy)?;
    let files = tokio::task::spawn_blocking(move || find(&input)).await??;
    let folder = Folder {
        policy,
        target,
        cpu: CpuPool::new(arguments.machine.cpu_threads.map_or(0, usize::from))?,
        memory: MemoryBudget::new(arguments.machine.decode_memory.as_u64()),
        workers: arguments.machine.workers(),
    };
    let (seen, results) = (files.len(), folder.normalize_all(files).await?);
    report(&arguments, seen, results, begun)
}

type FileResult = Result<Vec<(String, u64)>, Rejected>;

struct Folder {
    policy: Arc<NormalizationPolicy>,
    target: PathBuf,
    cpu: CpuPool,
    memory: MemoryBudget,
    workers: ImageWorkers,
}

/// A file below the input, and its path there.
struct InputFile {
    path: PathBuf,
    relative: PathBuf,
}

impl Folder {
    async fn normalize_all(&self, files: Vec<InputFile>) -> anyhow::Result<Vec<FileResult>> {
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {per_sec} {eta}")?;
        let bar = ProgressBar::new(files.len() as u64).with_style(style);
        let extension = self.policy.format().extension();
        let mut names = BTreeSet::new();
        for file in &files {
            let name = output_name(&file.relative, extension);
            ensure!(names.insert(name.clone()), "two inputs would both become {}", name.display());
        }
        let work = files.into_iter().map(|file| {
            let bar = bar.clone();
            async move {
                let result = self.normalize(&file).await;
                bar.inc(1);
                result
            }
        });
        let at_once = EngineSettings::usual_slots(self.cpu.threads());
        let results = stream::iter(work).buffered(at_once).collect::<Vec<_>>().await;
        bar.finish_and_clear();
        results.into_iter().collect()
    }

    /// `Err` when the disk fails; a picture that cannot be used is a result like any other.
    async fn normalize(&self, file: &InputFile) -> anyhow::Result<FileResult> {
        let names: Vec<_> = self.policy.sizes().iter().map(SizeSpec::name).collect();
        let extension = self.policy.format().extension();
        let path = |name: &String| self.target.join(name).join(output_name(&file.relative, extension));
        let paths: Vec<_> = names.iter().map(path).collect();
        for folder in paths.iter().filter_map(|path| path.parent()) {
            tokio::fs::create_dir_all(folder).await.with_context(|| folder.display().to_string())?;
        }
        let made =
            self.workers.normalize(&file.path, &self.policy, paths.clone(), &self.cpu, &self.memory).await;
        match made {
            Ok(made) => Ok(Ok(names.into_iter().zip(made.variants.iter().map(|v| v.bytes)).collect())),
            Err(StageError::Rejected(reason)) => {
                for path in paths {
                    remove_if_there(&path).await?;
                }
                Ok(Err(Rejected { key: file.relative.display().to_string(), reason }))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What was begun for a picture that was refused.
async fn remove_if_there(path: &Path) -> anyhow::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The path without links, as far as it is there already.
fn real_path(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    match existing {
        Some((folder, real)) => path.strip_prefix(folder).map_or(real.clone(), |rest| real.join(rest)),
        None => path.to_owned(),
    }
}

/// No output may be an input of this run or the next, whichever way the folders lie in one another.
fn keep_apart(input: &Path, target: &Path, policy: &NormalizationPolicy) -> anyhow::Result<()> {
    for spec in policy.sizes().iter() {
        let folder = target.join(spec.name());
        ensure!(
            !folder.starts_with(input) && !input.starts_with(&folder),
            "renditions would go to {}, and the input is {}: choose folders apart from each other",
            folder.display(),
            input.display()
        );
    }
    Ok(())
}

fn find(input: &Path) -> anyhow::Result<Vec<InputFile>> {
    let mut files = Vec::new();
    let walk = WalkDir::new(input).follow_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                output::note(format!("passed over: {error}"));
                continue;
            }
        };
        if entry.file_type().is_file() {
            let relative = entry.path().strip_prefix(input)?.to_owned();
            files.push(InputFile { path: entry.into_path(), relative });
        }
    }
    Ok(files)
}

/// As ingest has it: files and folders whose names begin with a dot.
fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// `a/b.jpg` stays, `a/b.png` becomes `a/b.png.jpg`: no two inputs meet but by a name that is already such.
fn output_name(relative: &Path, extension: &str) -> PathBuf {
    if relative.extension().is_some_and(|found| found == extension) {
        return relative.to_owned();
    }
    let mut name = relative.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

fn report(
    arguments: &NormalizeArguments,
    seen: usize,
    results: Vec<FileResult>,
    begun: Instant,
) -> anyhow::Result<ExitCode> {
    let (mut rejected, mut variants) = (Vec::new(), BTreeMap::<String, Written>::new());
    for result in results {
        match result {
            Err(reason) => rejected.push(reason),
            Ok(written) => {
                for (name, bytes) in written {
                    let variant = variants.entry(name).or_default();
                    variant.written += 1;
                    variant.bytes += bytes;
                }
            }
        }
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let failed = arguments.strict && !rejected.is_empty();
    if arguments.json {
        output::json(&json!({
            "images": { "seen": seen, "rejected": rejected.len() },
            "rejected": rejected.iter().map(|r| json!({ "key": r.key, "reason": r.reason.code, "detail": r.reason.detail })).collect::<Vec<_>>(),
            "variants": variants,
            "elapsed_seconds": elapsed,
        }))?;
    } else {
        for Rejected { key, reason } in &rejected {
            output::line(format!("rejected {}: {reason}", escape_key(key)))?;
        }
        let rows = variants.iter().map(|(name, variant)| {
            vec![name.clone(), variant.written.to_string(), output::size(variant.bytes)]
        });
        output::line(output::table(&["variant", "written", "size"], &[1, 2], rows))?;
        output::line(format!("\n{seen} files, {} rejected, in {elapsed:.1} s", rejected.len()))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
