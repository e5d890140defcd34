//! What the tests share: settings, records, and workers that misbehave.

use std::path::{Path, PathBuf};
use std::time::Duration;

use annotations::{
    Bounds, Category, CategoryDefinition, Format, Frame, FrameKind, Origin, Point, Polygon, Provenance,
    Record, RecordId, Region, Registry, Shape,
};
use anyhow::ensure;
use label_studio::{Candidate, LabelStudioError, Verdict, Verifier, Worker, WorkerSettings};
use tempfile::TempDir;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn settings() -> anyhow::Result<WorkerSettings> {
    let settings = WorkerSettings::below(&root());
    ensure!(settings.python.exists(), "{} is missing: run `make setup-python`", settings.python.display());
    Ok(settings)
}

/// A worker that does something else; its folder goes with it.
pub(crate) struct Misbehaving {
    pub(crate) settings: WorkerSettings,
    folder: TempDir,
}

impl Misbehaving {
    /// The real worker, after `behaviour` has changed it. Python code; `real_convert` is the conversion, `request` its
    /// argument, `MARK` a path where nothing is at first.
    pub(crate) fn new(behaviour: &str) -> anyhow::Result<Self> {
        let mut settings = settings()?;
        let real = std::fs::canonicalize(&settings.worker_dir)?;
        let folder = TempDir::new()?;
        let package = folder.path().join("label_studio_worker");
        std::fs::create_dir(&package)?;
        let init = format!("__path__.append({real:?})\nWORKER_VERSION = '1'\n");
        std::fs::write(package.join("__init__.py"), init)?;
        let main = format!(
            "import os, socket, time\n\
             from label_studio_worker import conversion, protocol, server\n\
             MARK = {mark:?}\n\
             real_convert = conversion.convert\n\
             {behaviour}\n\
             exec(compile(open({main:?}).read(), {main:?}, 'exec'))\n",
            mark = folder.path().join("mark"),
            main = real.join("__main__.py"),
        );
        std::fs::write(package.join("__main__.py"), main)?;
        settings.worker_dir = package;
        Ok(Self { settings, folder })
    }

    /// Whether the behaviour has left its mark.
    pub(crate) fn marked(&self) -> bool {
        self.folder.path().join("mark").exists()
    }

    pub(crate) async fn verifier(&self, format: Format) -> anyhow::Result<Verifier> {
        verifier(self.settings.clone(), format).await
    }
}

pub(crate) async fn verifier(settings: WorkerSettings, format: Format) -> anyhow::Result<Verifier> {
    Ok(Verifier::new(Worker::start(settings).await?, format, categories())?)
}

/// Sorting by name would swap the first two.
pub(crate) fn categories() -> Registry {
    let names = ["zebra", "ant", "R&B \"x\" <y>", " två\n'\tords ", "$image", "0"];
    let category = |(id, name): (u32, &&str)| Category { id, definition: CategoryDefinition::named(*name) };
    (0..).zip(&names).map(category).collect()
}

pub(crate) fn record(number: i64, regions: Vec<Region>) -> Record {
    let provenance =
        Provenance::LabelStudio { task_id: number, annotation_id: number + 1000, unique_id: None };
    let origin = Origin::Human { annotator: None };
    Record {
        id: RecordId::of(&number.to_string()),
        image: format!("s3://bucket/dir a/img {number}.jpg"),
        frame: Some(Frame { width: 1000, height: 500, kind: FrameKind::Displayed }),
        origin,
        provenance,
        created_at: None,
        updated_at: None,
        ground_truth: false,
        score: None,
        regions,
    }
}

pub(crate) fn region(id: &str, label: &str, shape: Shape) -> Region {
    Region::new(id, label, shape)
}

pub(crate) fn boxed(x: f64, y: f64, width: f64, height: f64) -> Shape {
    Shape::Box(Bounds { x, y, width, height })
}

pub(crate) fn ring(points: &[[f64; 2]]) -> Shape {
    let exterior = points.iter().copied().map(Point::from).collect();
    Shape::Polygon { polygons: vec![Polygon { exterior, holes: Vec::new() }], closed: true }
}

/// Records with one box each.
pub(crate) fn simple_records(count: i64) -> Vec<Record> {
    let made = |number| record(number, vec![region("r", "zebra", boxed(number as f64, 2.0, 30.0, 40.5))]);
    (0..count).map(made).collect()
}

pub(crate) async fn verdicts(
    verifier: &mut Verifier,
    records: &[Record],
) -> Result<Vec<Verdict>, LabelStudioError> {
    let candidates: Vec<_> = records.iter().map(|record| Candidate { record, original: None }).collect();
    verifier.verify(&candidates).await
}

/// Waits for a process to be gone: reaped, or a zombie that tokio has not reaped yet.
pub(crate) async fn until_gone(process: u32) -> anyhow::Result<()> {
    let gone = async {
        while !testkit::is_gone(process) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    Ok(tokio::time::timeout(Duration::from_secs(20), gone).await?)
}
