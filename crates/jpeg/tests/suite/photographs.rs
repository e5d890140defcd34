//! Real files, where they are at hand.

use std::path::Path;

/// Calls with each of at most so many files of a folder, if there is one.
pub(crate) fn each(folder: &str, at_most: usize, mut check: impl FnMut(&Path, &[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    };
    let files = files.map(|file| file.expect("a file").path());
    let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|name| name == "jpg")).collect();
    files.sort();
    for file in files.iter().take(at_most) {
        check(file, &std::fs::read(file).expect("a file"));
    }
}
