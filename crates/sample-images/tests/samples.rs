//! What `write_samples` leaves in a folder, read by other people's decoders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use image::{ColorType, DynamicImage, ImageDecoder, ImageReader};
use image_hasher::{HashAlg, HasherConfig};
use sample_images::{Expected, Sample, write_samples};

/// The samples, written once for all tests.
fn samples() -> (&'static Path, &'static [Sample]) {
    static WRITTEN: OnceLock<(PathBuf, Vec<Sample>)> = OnceLock::new();
    let (folder, samples) = WRITTEN.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sample-images");
        if folder.is_dir() {
            fs::remove_dir_all(&folder).expect("the last run's folder can go");
        }
        let samples = write_samples(&folder).expect("the target folder can be written");
        (folder, samples)
    });
    (folder, samples)
}

fn files_below(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder)?.to_str().context("a name in Unicode")?.to_owned();
                found.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(found)
}

/// The picture as a viewer shows it: turned upright.
fn shown(path: &Path) -> Result<DynamicImage> {
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// pHash: the signs of the low frequencies around their median.
fn perceptual_hash(path: &Path) -> Result<u64> {
    let hasher = HasherConfig::with_bytes_type::<[u8; 8]>().hash_size(8, 8).hash_alg(HashAlg::Median);
    Ok(u64::from_be_bytes(hasher.preproc_dct().to_hasher().hash_image(&shown(path)?).into_inner()))
}

/// The kind of a JPEG's frame header (0xC0 baseline, 0xC2 progressive) and its number of components.
fn frame(jpeg: &[u8]) -> Option<(u8, u8)> {
    let mut at = 2;
    loop {
        let [0xff, marker, high, low] = *jpeg.get(at..)?.first_chunk()? else { return None };
        if matches!(marker, 0xc0 | 0xc2) {
            return Some((marker, *jpeg.get(at + 9)?));
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
}

#[test]
fn two_runs_write_the_same_bytes() -> Result<()> {
    let (folder, samples) = samples();
    let other = tempfile::tempdir()?;
    assert_eq!(write_samples(other.path())?, samples);
    let (first, second) = (files_below(folder)?, files_below(other.path())?);
    assert!(first.keys().eq(second.keys()));
    for (name, bytes) in &first {
        assert!(*bytes == second[name], "{name} differs");
    }
    Ok(())
}

#[test]
fn the_folder_holds_what_is_listed_and_nothing_else() -> Result<()> {
    let (folder, samples) = samples();
    let files = files_below(folder)?;
    let listed: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(listed.len(), samples.len(), "names are unique");
    assert!(files.keys().map(String::as_str).eq(listed));
    let count =
        |wanted: fn(&Expected) -> bool| samples.iter().filter(|sample| wanted(&sample.expected)).count();
    assert_eq!(count(|expected| *expected == Expected::Image), 35);
    assert_eq!(count(|expected| matches!(expected, Expected::Duplicate { .. })), 2);
    assert_eq!(count(|expected| *expected == Expected::Rejected), 4);
    let total: usize = files.values().map(Vec::len).sum();
    assert!(total < 25_000_000, "{total} bytes");
    Ok(())
}

#[test]
fn every_image_decodes_at_a_photograph_size() -> Result<()> {
    let (folder, samples) = samples();
    for sample in samples.iter().filter(|sample| sample.expected != Expected::Rejected) {
        let picture = shown(&folder.join(&sample.name)).with_context(|| sample.name.clone())?;
        let long = picture.width().max(picture.height());
        assert!((640..=2600).contains(&long), "{} is {long} pixels long", sample.name);
    }
    Ok(())
}

#[test]
fn every_orientation_is_there_once() -> Result<()> {
    let (folder, samples) = samples();
    let mut found = Vec::new();
    for sample in samples.iter().filter(|sample| sample.name.starts_with("orientation/")) {
        let file = fs::read(folder.join(&sample.name))?;
        let exif = exif::Reader::new().read_from_container(&mut std::io::Cursor::new(file))?;
        let field = exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY).context("an orientation")?;
        found.push(field.value.get_uint(0).context("a number")?);
    }
    assert_eq!(found, [1, 2, 3, 4, 5, 6, 7, 8]);
    Ok(())
}

#[test]
fn the_formats_are_what_their_descriptions_say() -> Result<()> {
    let (folder, _) = samples();
    let at = |name: &str| folder.join("formats").join(name);
    assert_eq!(frame(&fs::read(at("gray.jpg"))?), Some((0xc0, 1)));
    assert_eq!(frame(&fs::read(at("cmyk.jpg"))?), Some((0xc0, 4)));
    assert_eq!(frame(&fs::read(at("progressive.jpg"))?), Some((0xc2, 3)));
    assert_eq!(shown(&at("badge.png"))?.color(), ColorType::Rgba8);
    assert_eq!(shown(&at("deep.png"))?.color(), ColorType::Rgb16);
    // Byte 25 of a PNG is its colour type; 3 is "palette" (PNG specification, 11.2.2).
    assert_eq!(fs::read(at("palette.png"))?.get(25), Some(&3));
    let gif = std::io::BufReader::new(fs::File::open(at("day and night.gif"))?);
    let frames = image::AnimationDecoder::into_frames(image::codecs::gif::GifDecoder::new(gif)?);
    assert_eq!(frames.collect_frames()?.len(), 2);
    Ok(())
}

#[test]
fn rejected_files_are_no_whole_pictures() -> Result<()> {
    let (folder, samples) = samples();
    for sample in samples.iter().filter(|sample| sample.expected == Expected::Rejected) {
        let bytes = fs::read(folder.join(&sample.name))?;
        // Lenient decoders make a picture of what is left, so look for the end-of-image mark itself.
        let cut_off = bytes.starts_with(&[0xff, 0xd8]) && !bytes.ends_with(&[0xff, 0xd9]);
        assert!(cut_off || shown(&folder.join(&sample.name)).is_err(), "{}", sample.name);
    }
    Ok(())
}

#[test]
fn duplicates_look_alike_and_all_else_looks_different() -> Result<()> {
    let (folder, samples) = samples();
    let mut hashes = Vec::new();
    for sample in samples.iter().filter(|sample| sample.expected != Expected::Rejected) {
        hashes.push((sample, perceptual_hash(&folder.join(&sample.name))?));
    }
    for (index, (sample, hash)) in hashes.iter().enumerate() {
        for (other, other_hash) in &hashes[..index] {
            let bits = (hash ^ other_hash).count_ones();
            let same = matches!(&sample.expected, Expected::Duplicate { of } if *of == other.name);
            assert_eq!(bits <= 3, same, "{} and {} differ in {bits} bits", sample.name, other.name);
            assert!(same || bits >= 8, "{} and {} differ in {bits} bits", sample.name, other.name);
        }
    }
    Ok(())
}
