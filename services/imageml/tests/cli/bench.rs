//! A folder of pictures, a home, and the binary.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use types::{Sha256, layout};

use crate::pictures;

/// Far beyond what any of these runs takes: reached only by one that hangs.
const HANGS: Duration = Duration::from_secs(120);
/// Small enough to be quick, and both kinds of size.
pub(crate) const SIZES: &str = "360p,64x64";

/// Everything of one test; gone with it.
pub(crate) struct Bench {
    folder: TempDir,
}

/// A run that ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A run that goes on.
pub(crate) struct Running {
    child: Child,
    output: TempDir,
}

impl Bench {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let bench = Self { folder: TempDir::new()? };
        fs::create_dir(bench.input())?;
        Ok(bench)
    }

    /// With this many different pictures: `00.jpg`, `01.jpg`, ….
    pub(crate) fn with_pictures(count: u32) -> anyhow::Result<Self> {
        let bench = Self::new()?;
        for number in 0..count {
            pictures::jpeg(&bench.input().join(format!("{number:02}.jpg")), number, 160, 120)?;
        }
        Ok(bench)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn input(&self) -> PathBuf {
        self.path("input")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The file of an object in a bucket of the home.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> PathBuf {
        self.home().join("s3").join(format!("imageml-{bucket}")).join(key)
    }

    /// The bronze object of one of the pictures.
    pub(crate) fn bronze(&self, dataset: &str, picture: &str) -> anyhow::Result<String> {
        let digest = Sha256::of(std::fs::read(self.input().join(picture))?);
        let uri = layout::bronze_image(&"s3://imageml-bronze".parse()?, &dataset.parse()?, picture, &digest);
        Ok(uri.to_string())
    }

    /// The binary, with nothing of the tester's own environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imageml"));
        command.args(arguments).env_clear().env("HOME", self.folder.path()).env("IMAGEML_HOME", self.home());
        command.env("LABEL_STUDIO_ROOT", concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        command
    }

    pub(crate) fn imageml(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        Running::start(self.command(arguments))?.wait()
    }

    /// What must succeed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        let ran = self.imageml(arguments)?;
        ensure!(ran.code == Some(0), "imageml {arguments:?}: {ran}");
        Ok(ran)
    }

    /// The JSON document of what must succeed.
    pub(crate) fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        self.succeed(&arguments)?.document()
    }

    /// The arguments of a run over the input folder into dataset `d`.
    pub(crate) fn run_command(&self, more: &[&str]) -> Command {
        let mut command = self.command(&["run", "--dataset", "d", "--json", "--input"]);
        command.arg(self.input());
        if !more.contains(&"--sizes") {
            command.args(["--sizes", SIZES]);
        }
        command.args(more);
        command
    }

    /// A run over the input folder into dataset `d`, however it ends.
    pub(crate) fn try_run(&self, more: &[&str]) -> anyhow::Result<Ran> {
        Running::start(self.run_command(more))?.wait()
    }

    /// The document of a run that must succeed.
    pub(crate) fn run(&self, more: &[&str]) -> anyhow::Result<Value> {
        let ran = self.try_run(more)?;
        ensure!(ran.code == Some(0), "{ran}");
        ran.document()
    }
}

impl Ran {
    pub(crate) fn document(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("not one JSON document: {self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}\nstdout: {}\nstderr: {}", self.code, self.stdout, self.stderr)
    }
}

impl Running {
    /// Output goes to files: a pipe that nobody reads would stop the run.
    pub(crate) fn start(mut command: Command) -> anyhow::Result<Self> {
        let output = TempDir::new()?;
        command.stdout(File::create(output.path().join("stdout"))?);
        command.stderr(File::create(output.path().join("stderr"))?);
        Ok(Self { child: command.spawn()?, output })
    }

    /// Waits until `seen` is true; an error when the run ends before.
    pub(crate) fn wait_until(&mut self, seen: impl Fn() -> bool) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !seen() {
            if let Some(status) = self.child.try_wait()? {
                bail!("ended ({status}) before what was waited for: {}", self.ran(status)?);
            }
            ensure!(begun.elapsed() < HANGS, "what was waited for does not happen");
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) -> anyhow::Result<()> {
        let id = rustix::process::Pid::from_child(&self.child);
        Ok(rustix::process::kill_process(id, signal)?)
    }

    pub(crate) fn wait(mut self) -> anyhow::Result<Ran> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return self.ran(status);
            }
            if begun.elapsed() > HANGS {
                self.child.kill()?;
                let status = self.child.wait()?;
                bail!("hangs: {}", self.ran(status)?);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn ran(&self, status: ExitStatus) -> anyhow::Result<Ran> {
        let read = |name| fs::read_to_string(self.output.path().join(name));
        Ok(Ran { code: status.code(), stdout: read("stdout")?, stderr: read("stderr")? })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended, but in a test that failed half-way.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The files below a folder, hidden ones too, by path relative to it.
pub(crate) fn files_below(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            names.push(entry.path().strip_prefix(folder)?.display().to_string());
        }
    }
    Ok(names)
}

/// The files that a published version consists of, with their content.
pub(crate) fn contents(folder: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let read = |name: String| Ok((name.clone(), fs::read(folder.join(&name))?));
    files_below(folder)?.into_iter().map(read).collect()
}

/// The members of a tar whose names end so, with their content.
pub(crate) fn members(tar: &Path, end: &str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in tar::Archive::new(File::open(tar)?).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.display().to_string();
        if name.ends_with(end) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            found.push((name, bytes));
        }
    }
    Ok(found)
}

/// A number in a document.
pub(crate) fn number(document: &Value, pointer: &str) -> anyhow::Result<u64> {
    document.pointer(pointer).and_then(Value::as_u64).with_context(|| format!("{pointer} in {document}"))
}

/// A text in a document.
pub(crate) fn text<'d>(document: &'d Value, pointer: &str) -> anyhow::Result<&'d str> {
    document.pointer(pointer).and_then(Value::as_str).with_context(|| format!("{pointer} in {document}"))
}

/// A list in a document.
pub(crate) fn list<'d>(document: &'d Value, pointer: &str) -> anyhow::Result<&'d Vec<Value>> {
    document.pointer(pointer).and_then(Value::as_array).with_context(|| format!("{pointer} in {document}"))
}

/// The names of an object's fields, sorted.
pub(crate) fn fields(document: &Value) -> Vec<&str> {
    let mut names: Vec<_> =
        document.as_object().map(|fields| fields.keys().map(String::as_str).collect()).unwrap_or_default();
    names.sort_unstable();
    names
}

/// A folder of the data beside the project; `None`, with a line that says so, where it is absent.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    if data.is_dir() {
        return Some(data);
    }
    eprintln!("skipped: {} is not there", data.display());
    None
}
