//! Real photographs, where the shared data folder is present beside the project.

use std::path::{Path, PathBuf};

use imaging::{Limits, inspect, normalize};
use types::NormalizationPolicy;

/// The JPEG files in a folder of the shared data; empty, with a note, where there is none.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no {}", folder.display());
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg"))
        .collect();
    files.sort();
    files
}

#[test]
fn photographs_of_many_cameras_are_read() {
    for file in files("photos") {
        let data = std::fs::read(&file).expect("readable");
        let facts = inspect(&data, &Limits::default()).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert!(facts.exif["Make"].is_string(), "{}: {}", file.display(), facts.exif);
    }
}

#[test]
fn photographs_from_the_web_are_normalized() {
    for file in files("raccoon/images").iter().take(20) {
        let data = std::fs::read(file).expect("readable");
        let normalized = normalize(&data, &NormalizationPolicy::default(), &Limits::default())
            .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert_eq!(normalized.renditions.len(), 3);
    }
}
