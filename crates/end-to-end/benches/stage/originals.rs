//! The pictures that are worked on.

use std::path::Path;

use anyhow::{Context, ensure};

/// So many: the folder's files again and again; a number behind the end mark, where decoders do not look, makes each an
/// image of its own.
pub(crate) fn originals(folder: &str, images: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .with_context(|| folder.to_owned())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg"))
        .collect();
    files.sort();
    ensure!(!files.is_empty(), "{folder} has no .jpg files");
    let contents: Vec<Vec<u8>> = files.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    let numbered = |number: usize| [&contents[number % contents.len()], &number.to_le_bytes()[..]].concat();
    Ok((0..images).map(numbered).collect())
}

/// The folder's name, or that of what it is the images of.
pub(crate) fn name(folder: &str) -> anyhow::Result<String> {
    let folder = Path::new(folder).canonicalize()?;
    let named = if folder.ends_with("images") { folder.parent().unwrap_or(&folder) } else { &folder };
    Ok(named.file_name().unwrap_or_default().to_string_lossy().into_owned())
}
