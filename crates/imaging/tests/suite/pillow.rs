//! Do we see what Pillow sees? `tests/pillow/make_cases.py` writes files and Pillow's reading of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use image::{Rgba, RgbaImage};
use imaging::{Limits, normalize};
use serde_json::Value;
use types::{AlphaPolicy, Orientation, Rgb};

use crate::samples::{lossless_policy, read_png, rgba};

/// The project's Python with Pillow, as `make setup-python` installs it.
fn python() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("IMAGEML_TEST_PYTHON").map_or_else(|| workspace.join(".venv/bin/python"), PathBuf::from)
}

#[test]
fn pictures_agree_with_pillow() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pillow/make_cases.py");
    let python = python();
    let made = Command::new(&python)
        .arg(&script)
        .arg(folder.path())
        .status()
        .with_context(|| format!("no Python at {}: run `make setup-python`", python.display()))?;
    ensure!(made.success(), "{} failed; if a module is missing, run `make setup-python`", script.display());

    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(folder.path().join("cases.json"))?)?;
    ensure!(cases.len() > 100, "only {} cases", cases.len());
    let problems: Vec<_> = cases.iter().filter_map(|case| check(case, folder.path()).err()).collect();
    let listed: Vec<_> = problems.iter().map(|problem| format!("{problem:#}")).collect();
    ensure!(listed.is_empty(), "{} of {} cases differ:\n{}", listed.len(), cases.len(), listed.join("\n"));
    Ok(())
}

fn check(case: &Value, folder: &Path) -> Result<()> {
    let text = |key: &str| case[key].as_str().with_context(|| format!("{key} of {case}"));
    let name = text("name")?.to_owned();
    let alpha = match text("alpha")? {
        "keep" => AlphaPolicy::Keep,
        _ => AlphaPolicy::Flatten { background: Rgb::WHITE },
    };
    let data = std::fs::read(folder.join(text("input")?))?;
    let orientation = u16::try_from(case["orientation"].as_u64().context("orientation")?)?;
    for (spec, expected) in case["expected"].as_object().context("expected")? {
        // Case pictures without a size are smaller than this box, which never enlarges.
        let size = if spec.is_empty() { "2160p" } else { spec };
        let normalized = normalize(&data, &lossless_policy(size, alpha), &Limits::default())
            .with_context(|| name.clone())?;
        ensure!(
            normalized.orientation == Orientation::from(orientation),
            "{name}: {:?}",
            normalized.orientation
        );
        let ours = read_png(&normalized.renditions[0].bytes);
        let theirs = read_png(&std::fs::read(folder.join(expected.as_str().context("file name")?))?);
        ensure!(
            ours.color() == theirs.color(),
            "{name} {spec}: {:?}, not {:?}",
            ours.color(),
            theirs.color()
        );
        let (worst, mean) =
            difference(&rgba(&ours), &rgba(&theirs)).with_context(|| format!("{name} {spec}"))?;
        let allowed = (case["tolerance"].as_f64(), case["mean"].as_f64());
        ensure!(
            Some(worst) <= allowed.0 && Some(mean) <= allowed.1,
            "{name} {spec}: differs by up to {worst}, {mean:.3} on average; allowed are {allowed:?}"
        );
    }
    Ok(())
}

/// The largest and the average difference of a sample.
fn difference(ours: &RgbaImage, theirs: &RgbaImage) -> Result<(f64, f64)> {
    let sizes = (ours.dimensions(), theirs.dimensions());
    ensure!(sizes.0 == sizes.1, "{:?}, not {:?}", sizes.0, sizes.1);
    let (mut worst, mut sum) = (0, 0);
    for (a, b) in ours.pixels().zip(theirs.pixels()) {
        for (x, y) in as_seen(*a).into_iter().zip(as_seen(*b)) {
            worst = worst.max(x.abs_diff(y));
            sum += u64::from(x.abs_diff(y));
        }
    }
    Ok((f64::from(worst), sum as f64 / ours.len() as f64))
}

/// A colour counts as far as it is seen through its alpha: premultiplied resizing keeps only that much of it.
fn as_seen(pixel: Rgba<u8>) -> [u8; 4] {
    let [r, g, b, alpha] = pixel.0;
    let seen = |colour: u8| ((u32::from(colour) * u32::from(alpha) + 127) / 255) as u8;
    [seen(r), seen(g), seen(b), alpha]
}
