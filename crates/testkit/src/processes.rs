//! Processes that programs under test have started.

use std::path::Path;
use std::time::SystemTime;

/// The children of a process that still run.
///
/// # Errors
/// There is no such process.
pub fn children_of(process: u32) -> std::io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may be gone by now.
        let children = std::fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
    }
    Ok(found)
}

/// Whether a process is gone: reaped, or a zombie that nobody has reaped yet.
pub fn is_gone(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    stat.map_or(true, |stat| stat.contains(") Z "))
}

/// How far an import of annotations is, told by the files that its converter is given and gives back, below the `TMPDIR`
/// of the importing program.
#[derive(Debug, Clone, Copy)]
pub struct Conversions<'a> {
    /// The `TMPDIR`.
    pub scratch: &'a Path,
}

impl Conversions<'_> {
    /// When the latest result was written, if it is still there.
    pub fn result(&self) -> Option<SystemTime> {
        self.written("output/result.json")
    }

    /// Whether a request was made after that time.
    pub fn requested_after(&self, time: SystemTime) -> bool {
        self.written("input.json").is_some_and(|requested| requested > time)
    }

    fn written(&self, file: &str) -> Option<SystemTime> {
        let folders = std::fs::read_dir(self.scratch).ok()?.filter_map(Result::ok);
        folders.filter_map(|folder| std::fs::metadata(folder.path().join(file)).ok()?.modified().ok()).max()
    }
}
