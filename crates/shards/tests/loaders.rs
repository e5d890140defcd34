//! The real loaders read what we write: tests/loaders/check_version.py over a small published version.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use shards::energon::{energon_dataset, energon_info, energon_split};
use shards::wids::{WidsShard, wids_index};
use shards::{SampleRow, ShardIndex, ShardWriter, write_samples_parquet};
use tempfile::TempDir;
use types::{
    Affine, DatasetVersionManifest, ImageId, Orientation, PolicyHash, S3Uri, Sha256, ShardEntry, Split,
    SplitRatios, VariantSummary, VersionNumber,
};

/// JPEGs by Pillow, with their sizes.
const IMAGES: [(u32, u32, &[u8]); 3] = [
    (16, 8, include_bytes!("fixtures/16x8.jpg")),
    (9, 17, include_bytes!("fixtures/9x17.jpg")),
    (32, 32, include_bytes!("fixtures/32x32.jpg")),
];

#[test]
fn every_loader_reads_a_published_version() -> anyhow::Result<()> {
    let version = publish()?;
    let output = check(version.path())?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for loader in ["webdataset", "wids", "dali", "energon", "samples.parquet"] {
        for variant in ["360p", "720p"] {
            ensure!(text.contains(&format!("ok    {variant} {loader}:")), "no {loader} of {variant}: {text}");
        }
    }
    Ok(())
}

#[test]
fn the_check_fails_on_a_wrong_index() -> anyhow::Result<()> {
    let version = publish()?;
    for name in ["train-000000.idx", "train-000001.tar.idx", "train.wids.json"] {
        let path = version.path().join("720p").join(name);
        let mut bytes = fs::read(&path)?;
        // In the text files the last digits, in the binary one the offset of the second sample.
        let at = if name.ends_with(".tar.idx") { 9 } else { bytes.len() - 12 };
        bytes[at] ^= 1;
        fs::write(path, bytes)?;
    }
    let output = check(version.path())?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.code() == Some(1), "{text}");
    for loader in ["files", "wids", "dali", "energon"] {
        ensure!(text.contains(&format!("FAIL  720p {loader}:")), "{loader} did not notice: {text}");
        ensure!(text.contains(&format!("ok    360p {loader}:")), "{text}");
    }
    Ok(())
}

fn check(version: &Path) -> anyhow::Result<Output> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python =
        std::env::var_os("IMAGEML_TEST_PYTHON").map_or_else(|| root.join(".venv/bin/python"), PathBuf::from);
    ensure!(python.exists(), "{} is missing: run `make setup-python`", python.display());
    let script = root.join("tests/loaders/check_version.py");
    Command::new(&python).arg(script).arg(version).output().context("the loader check does not start")
}

/// What the publisher lays out, for two variants: one with an empty split and several shards, one with all splits.
fn publish() -> anyhow::Result<TempDir> {
    let root = TempDir::new()?;
    let mut version = Version {
        root: root.path().to_owned(),
        shards: Vec::new(),
        files: BTreeMap::new(),
        rows: Vec::new(),
    };
    let variants = BTreeMap::from([
        version.variant("720p", &[(Split::Train, 2), (Split::Val, 1), (Split::Test, 0)])?,
        version.variant("360p", &[(Split::Train, 3), (Split::Val, 1), (Split::Test, 1)])?,
    ]);
    let mut table = Vec::new();
    write_samples_parquet(&mut table, std::mem::take(&mut version.rows))?;
    version.write("samples.parquet", &table)?;
    let manifest = DatasetVersionManifest {
        schema: 1,
        dataset: "animals".parse()?,
        version: VersionNumber::FIRST,
        input_digest: Sha256::of("inputs"),
        normalization_policy_hash: PolicyHash::of("policy"),
        normalization_policy: serde_json::Value::Null,
        seed: "seed".to_owned(),
        split_ratios: SplitRatios::default(),
        annotations: serde_json::Value::Null,
        variants,
        shards: version.shards,
        files: version.files,
    };
    fs::write(root.path().join("manifest.json"), serde_json::to_string_pretty(&manifest)?)?;
    Ok(root)
}

struct Version {
    root: PathBuf,
    shards: Vec<ShardEntry>,
    files: BTreeMap<String, Sha256>,
    rows: Vec<SampleRow>,
}

impl Version {
    /// Writes a variant with so many shards per split, three samples in each.
    fn variant(&mut self, name: &str, splits: &[(Split, u32)]) -> anyhow::Result<(String, VariantSummary)> {
        fs::create_dir_all(self.root.join(name).join(".nv-meta"))?;
        let mut summary = VariantSummary::default();
        let (mut counts, mut parts) = (Vec::new(), Vec::new());
        for (split, shards) in splits {
            let (mut listed, mut names) = (Vec::new(), Vec::new());
            for number in 0..*shards {
                let stem = format!("{split}-{number:06}");
                let index = self.shard(name, *split, &stem)?;
                let samples = index.samples.len() as u64;
                summary.samples += samples;
                summary.bytes += index.bytes;
                *summary.splits.entry(*split).or_default() += samples;
                names.push(format!("{stem}.tar"));
                counts.push((format!("{stem}.tar"), samples));
                listed.push(WidsShard { url: format!("{stem}.tar"), samples, bytes: index.bytes });
            }
            parts.push((*split, names));
            if !listed.is_empty() {
                let text = wids_index(&format!("animals v1 {name} {split}"), &listed);
                self.write(&format!("{name}/{split}.wids.json"), text.as_bytes())?;
            }
        }
        self.write(&format!("{name}/.nv-meta/.info.json"), energon_info(&counts).as_bytes())?;
        self.write(&format!("{name}/.nv-meta/split.yaml"), energon_split(&parts).as_bytes())?;
        self.write(&format!("{name}/.nv-meta/dataset.yaml"), energon_dataset().as_bytes())?;
        Ok((name.to_owned(), summary))
    }

    fn shard(&mut self, variant: &str, split: Split, stem: &str) -> anyhow::Result<ShardIndex> {
        let uri: S3Uri = format!("s3://gold/animals/v1/{variant}/{stem}.tar").parse()?;
        let mut writer = ShardWriter::new(BufWriter::new(File::create(self.path(variant, stem, "tar"))?));
        for (n, (width, height, image)) in IMAGES.iter().enumerate() {
            let key = ImageId::of(&Sha256::of(format!("{stem}/{n}")));
            let facts = format!(r#"{{"width":{width},"height":{height},"boxes":[],"reviewed":true}}"#);
            let mut members: Vec<(&str, &[u8])> = vec![("json", facts.as_bytes()), ("jpg", image)];
            if n == 1 {
                members.extend([("cls", b"7".as_slice()), ("mask.png", b"not looked at")]);
            }
            writer.append(&key.to_string(), &members)?;
        }
        let (_, index) = writer.finish()?;
        for (n, (sample, (width, height, image))) in index.samples.iter().zip(IMAGES).enumerate() {
            let member = sample.member("jpg").context("every sample has an image")?;
            let key = sample.key.parse()?;
            self.rows.push(SampleRow {
                key,
                variant: variant.to_owned(),
                split,
                group: key,
                shard: format!("{stem}.tar"),
                index: u32::try_from(n)?,
                offset: sample.offset,
                image_offset: member.offset,
                image_bytes: member.size,
                variant_uri: format!("s3://silver/animals/normalized/{variant}/{key}.jpg").parse()?,
                variant_sha256: Sha256::of(image),
                width,
                height,
                source_uri: format!("s3://bronze/animals/images/{n}.jpg").parse()?,
                source_key: format!("{n}.jpg"),
                source_sha256: Sha256::of(image),
                source_width: width,
                source_height: height,
                copies: 1,
                affine: Affine::scale_then_move(1.0, 1.0, 0.0, 0.0),
                orientation: Orientation::Upright,
                annotation: String::new(),
            });
        }
        self.write(&format!("{variant}/{stem}.idx"), index.dali_index().as_bytes())?;
        self.write(&format!("{variant}/{stem}.tar.idx"), &index.energon_index())?;
        self.shards.push(ShardEntry {
            variant: variant.to_owned(),
            split,
            uri,
            samples: index.samples.len() as u64,
            bytes: index.bytes,
            sha256: Sha256::of(fs::read(self.path(variant, stem, "tar"))?),
        });
        Ok(index)
    }

    fn path(&self, variant: &str, stem: &str, extension: &str) -> PathBuf {
        self.root.join(variant).join(format!("{stem}.{extension}"))
    }

    fn write(&mut self, key: &str, content: &[u8]) -> anyhow::Result<()> {
        self.files.insert(key.to_owned(), Sha256::of(content));
        fs::write(self.root.join(key), content)?;
        Ok(())
    }
}
