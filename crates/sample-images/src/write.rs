//! Writing the samples into a folder.

use std::fs;
use std::path::Path;

use rayon::prelude::*;

use crate::catalogue::{Content, Entry, catalogue};
use crate::encode::{Format, encode, svg};
use crate::{Expected, Sample, SampleError};

/// What the text file says.
const NOTES: &str = "Shopping: film, batteries, a bigger lens cap.\nThis is text, whatever its name says.\n";

/// Draws all samples and writes them below `folder`, which is made if need be. Files of the same names are
/// replaced; others are left alone. The bytes are the same on every run.
///
/// Takes seconds of processor time, on as many processors as [`rayon`]'s current pool has.
///
/// # Errors
///
/// When a folder or file cannot be written. What was written before stays.
pub fn write_samples(folder: &Path) -> Result<Vec<Sample>, SampleError> {
    let entries = catalogue();
    entries.par_iter().map(|entry| write(folder, &entries, entry)).collect()
}

fn write(folder: &Path, entries: &[Entry], entry: &Entry) -> Result<Sample, SampleError> {
    let bytes = content(entries, entry)
        .map_err(|error| SampleError::Encode { name: entry.name.to_owned(), message: error.to_string() })?;
    let path = folder.join(entry.name);
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(|source| SampleError::Write { path: parent.to_owned(), source })?;
    fs::write(&path, bytes).map_err(|source| SampleError::Write { path, source })?;
    Ok(Sample { name: entry.name.to_owned(), about: entry.about, expected: expected(entry.content) })
}

fn content(entries: &[Entry], entry: &Entry) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    match entry.content {
        Content::Scene(shot, format) => encode(&shot, format),
        Content::CopyOf(name) => content(entries, named(entries, name)?),
        Content::AgainOf(name, quality) => match named(entries, name)?.content {
            Content::Scene(shot, _) => encode(&shot, Format::Jpeg(quality)),
            _ => Err(format!("{name} shows no scene").into()),
        },
        Content::PartOf(name) => {
            let mut bytes = content(entries, named(entries, name)?)?;
            bytes.truncate(bytes.len() * 3 / 5);
            Ok(bytes)
        }
        Content::Text => Ok(NOTES.as_bytes().to_vec()),
        Content::Empty => Ok(Vec::new()),
        Content::Svg => Ok(svg()),
    }
}

fn named<'a>(entries: &'a [Entry], name: &str) -> Result<&'a Entry, String> {
    entries.iter().find(|entry| entry.name == name).ok_or_else(|| format!("there is no {name}"))
}

fn expected(content: Content) -> Expected {
    match content {
        Content::Scene(..) => Expected::Image,
        Content::CopyOf(name) | Content::AgainOf(name, _) => Expected::Duplicate { of: name.to_owned() },
        Content::PartOf(_) | Content::Text | Content::Empty | Content::Svg => Expected::Rejected,
    }
}
