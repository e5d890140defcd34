//! Whether an object is one of a stage's outputs, by its key alone.

use crate::{DatasetName, ImageId, S3Uri, Split, StageName, VersionNumber};

/// Hex digits of a manifest object's name before its policy, as the engine makes it.
const MANIFEST_DIGITS: usize = 32;
/// Hex digits of [`PolicyHash::short`](crate::PolicyHash::short).
const POLICY_DIGITS: usize = 8;
/// Digits of a shard's number, at least.
const SHARD_DIGITS: usize = 6;

/// An object that a stage may have written below its output prefix. What has any other key is somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputKey {
    /// The copy of an original.
    Original(DatasetName),
    /// The copy of an annotation file, or the report beside it.
    Annotations(DatasetName),
    /// The manifest of one unit of work.
    Manifest(DatasetName),
    /// A rendition.
    Variant(DatasetName),
    /// A file of a dataset version.
    VersionFile(DatasetName, VersionNumber),
}

impl OutputKey {
    /// What `object` is to a stage that writes below `prefix`; `None` when the stage has no such keys.
    pub fn of(stage: StageName, prefix: &S3Uri, object: &S3Uri) -> Option<Self> {
        let (dataset, rest) = prefix.relative(object)?.split_once('/')?;
        let (area, rest) = rest.split_once('/')?;
        let dataset = dataset.parse().ok()?;
        if area == super::MANIFESTS {
            return is_manifest(stage, rest).then_some(Self::Manifest(dataset));
        }
        match stage {
            StageName::Ingest if area == super::IMAGES => {
                is_original(rest).then_some(Self::Original(dataset))
            }
            StageName::Ingest if area == super::ANNOTATIONS => {
                is_original(rest).then_some(Self::Annotations(dataset))
            }
            StageName::Normalize if area == super::NORMALIZED => {
                is_variant(rest).then_some(Self::Variant(dataset))
            }
            StageName::Shard | StageName::Curate => {
                let version: VersionNumber = area.parse().ok()?;
                let ours = version.to_string() == area && is_version_file(stage, rest);
                ours.then_some(Self::VersionFile(dataset, version))
            }
            StageName::Ingest | StageName::Normalize => None,
        }
    }

    /// The dataset that it belongs to.
    pub fn dataset(&self) -> &DatasetName {
        match self {
            Self::Original(dataset)
            | Self::Annotations(dataset)
            | Self::Manifest(dataset)
            | Self::Variant(dataset)
            | Self::VersionFile(dataset, _) => dataset,
        }
    }

    /// The dataset version that it belongs to, if it is part of one.
    pub fn version(&self) -> Option<VersionNumber> {
        match self {
            Self::VersionFile(_, version) => Some(*version),
            Self::Original(_) | Self::Annotations(_) | Self::Manifest(_) | Self::Variant(_) => None,
        }
    }
}

/// `<folders>/<digest 16>-<name>`, see [`bronze_image`](super::bronze_image)
fn is_original(rest: &str) -> bool {
    let name = rest.rsplit('/').next().and_then(|name| name.split_once('-'));
    name.is_some_and(|(digest, _)| is_hex(digest, super::CONTENT_DIGITS))
}

/// `<stage>/<32 digits>-<policy 8>.json`
fn is_manifest(stage: StageName, rest: &str) -> bool {
    let name = rest.split_once('/').filter(|(of, _)| *of == stage.as_str());
    let name = name.and_then(|(_, name)| name.strip_suffix(".json")?.split_once('-'));
    name.is_some_and(|(source, policy)| is_hex(source, MANIFEST_DIGITS) && is_hex(policy, POLICY_DIGITS))
}

/// `<variant>/<image id>-<policy 8>.<extension>`
fn is_variant(rest: &str) -> bool {
    let Some((variant, name)) = rest.split_once('/') else { return false };
    let parts = name.split_once('.').and_then(|(stem, extension)| Some((stem.split_once('-')?, extension)));
    let ours = |((image, policy), extension): ((&str, &str), &str)| {
        is_image_id(image) && is_hex(policy, POLICY_DIGITS) && is_word(extension)
    };
    !variant.is_empty() && parts.is_some_and(ours)
}

/// What `shard` and `curate` write into a version's folder.
fn is_version_file(stage: StageName, rest: &str) -> bool {
    let curated = stage == StageName::Curate;
    let segments: Vec<_> = rest.split('/').collect();
    match segments.as_slice() {
        ["manifest.json" | "samples.parquet"] => true,
        ["README.md"] => curated,
        [_, ".nv-meta", ".info.json" | "split.yaml" | "dataset.yaml"] => true,
        ["plans", _, plan] => curated && plan.strip_suffix(".json").is_some_and(is_shard_stem),
        [_, split, file] => curated && split.parse::<Split>().is_ok() && is_picture_or_list(file),
        [_, file] => match file.split_once('.') {
            Some((stem, "tar" | "idx" | "tar.idx")) => is_shard_stem(stem),
            Some((split, "wids.json")) => split.parse::<Split>().is_ok(),
            Some((split, "coco.json" | "label-studio.json")) => curated && split.parse::<Split>().is_ok(),
            _ => false,
        },
        _ => false,
    }
}

/// See [`shard_stem`](super::shard_stem).
fn is_shard_stem(stem: &str) -> bool {
    let number = stem.split_once('-').filter(|(split, _)| split.parse::<Split>().is_ok());
    number.is_some_and(|(_, number)| {
        number.len() >= SHARD_DIGITS && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

fn is_picture_or_list(file: &str) -> bool {
    let picture = file.split_once('.').is_some_and(|(id, extension)| is_image_id(id) && is_word(extension));
    picture || file == "metadata.jsonl"
}

fn is_image_id(text: &str) -> bool {
    text.parse::<ImageId>().is_ok_and(|id| id.to_string() == text)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{self, is_output};
    use crate::{PolicyHash, Sha256, SizeSpec};

    const IMAGE: &str = "00112233445566778899aabbccddeeff";

    fn prefix() -> S3Uri {
        "s3://bucket/pre".parse().expect("a valid prefix")
    }

    fn dataset() -> DatasetName {
        "ds".parse().expect("a valid name")
    }

    fn outputs_of(stage: StageName, key: &str) -> Option<OutputKey> {
        OutputKey::of(stage, &prefix(), &S3Uri::new(prefix().bucket().clone(), key))
    }

    #[test]
    fn what_the_stages_write_is_theirs() {
        let version = VersionNumber::new(12).expect("not zero");
        let of_version = OutputKey::VersionFile(dataset(), version);
        for (stage, key, expected) in [
            (StageName::Shard, "pre/ds/v12/1080p/train-000003.tar", of_version.clone()),
            (StageName::Shard, "pre/ds/v12/1080p/train-000003.idx", of_version.clone()),
            (StageName::Shard, "pre/ds/v12/1080p/train-1000003.tar.idx", of_version.clone()),
            (StageName::Shard, "pre/ds/v12/1080p/val.wids.json", of_version.clone()),
            (StageName::Shard, "pre/ds/v12/1080p/.nv-meta/.info.json", of_version.clone()),
            (StageName::Shard, "pre/ds/v12/1080p/.nv-meta/split.yaml", of_version.clone()),
            (StageName::Shard, "pre/ds/v12/samples.parquet", of_version.clone()),
            (StageName::Shard, "pre/ds/v12/manifest.json", of_version.clone()),
            (StageName::Curate, "pre/ds/v12/README.md", of_version.clone()),
            (StageName::Curate, "pre/ds/v12/plans/720p/test-000000.json", of_version.clone()),
            (StageName::Curate, "pre/ds/v12/720p/test/metadata.jsonl", of_version.clone()),
            (StageName::Curate, "pre/ds/v12/720p/test.coco.json", of_version.clone()),
            (StageName::Curate, "pre/ds/v12/720p/train.label-studio.json", of_version.clone()),
            (StageName::Curate, &format!("pre/ds/v12/720p/test/{IMAGE}.webp"), of_version),
        ] {
            assert_eq!(outputs_of(stage, key), Some(expected), "{stage} {key}");
        }
    }

    #[test]
    fn keys_that_are_built_here_are_recognised() {
        let (image, policy) = (IMAGE.parse().expect("valid"), PolicyHash::of("abc"));
        let size: SizeSpec = "800x600:crop".parse().expect("valid");
        let variant = layout::variant(&prefix(), &dataset(), &size.name(), &image, &policy, "jpg");
        assert!(is_output(StageName::Normalize, &prefix(), &variant), "{variant}");
        for relative in ["a b.jpg", "../a-b/.c", "a/", "/"] {
            let original = layout::bronze_image(&prefix(), &dataset(), relative, &Sha256::of("content"));
            assert!(is_output(StageName::Ingest, &prefix(), &original), "{original}");
            let archive = layout::bronze_annotations(&prefix(), &dataset(), relative, &Sha256::of("content"));
            for file in [layout::annotation_report(&archive), archive] {
                let found = OutputKey::of(StageName::Ingest, &prefix(), &file);
                assert_eq!(found, Some(OutputKey::Annotations(dataset())), "{file}");
                // Normalize does not take it for an image.
                assert_eq!(layout::bronze_dataset(&prefix(), &file), None);
            }
        }
        let version = layout::version_manifest(&prefix(), &dataset(), VersionNumber::FIRST);
        assert!(is_output(StageName::Shard, &prefix(), &version), "{version}");
        for stage in StageName::ALL {
            let name = format!("{IMAGE}-{}.json", policy.short());
            let manifest = layout::manifest_folder(&prefix(), &dataset(), stage).join(&name);
            let of = |stage| OutputKey::of(stage, &prefix(), &manifest);
            assert_eq!(of(stage), Some(OutputKey::Manifest(dataset())));
            let others = StageName::ALL.into_iter().filter(|other| *other != stage);
            assert!(others.map(of).all(|found| found.is_none()), "manifests are their own stage's");
            let journal = layout::janitor_journal(&prefix(), stage);
            assert!(!is_output(stage, &prefix(), &journal), "{journal}");
        }
    }

    #[test]
    fn what_others_put_there_is_not() {
        let own = format!("pre/ds/normalized/720p/{IMAGE}-ba7816bf");
        for (stage, key) in [
            // Another prefix, no dataset, no area.
            (StageName::Ingest, "prefix/ds/images/a.jpg"),
            (StageName::Ingest, "pre/images/a.jpg"),
            (StageName::Ingest, "pre/Not A Name/images/a.jpg"),
            (StageName::Ingest, "pre/ds/images/"),
            (StageName::Ingest, "pre/ds/images/a.jpg"),
            (StageName::Ingest, "pre/ds/images/0123456789abcdef-folder/a.jpg"),
            (StageName::Ingest, "pre/ds/images/0123456789ABCDEF-a.jpg"),
            (StageName::Ingest, "pre/ds/notes.txt"),
            (StageName::Ingest, "pre/ds/manifests/ingest/notes.json"),
            (
                StageName::Ingest,
                "pre/ds/manifests/ingest/deep/00112233445566778899aabbccddeeff-ba7816bf.json",
            ),
            // Another stage's.
            (StageName::Normalize, "pre/ds/images/a.jpg"),
            (StageName::Ingest, &format!("{own}.jpg")),
            (StageName::Shard, "pre/ds/v1/README.md"),
            (StageName::Shard, "pre/ds/v1/plans/720p/test-000000.json"),
            // Nearly ours.
            (StageName::Normalize, &own),
            (StageName::Normalize, &format!("{own}.jpg.bak")),
            (StageName::Normalize, &format!("{own}.JPG")),
            (StageName::Normalize, &format!("pre/ds/normalized/{IMAGE}-ba7816bf.jpg")),
            (StageName::Normalize, "pre/ds/normalized/720p/cat.jpg"),
            (StageName::Normalize, &format!("pre/ds/normalized/720p/{}-ba7816bf.jpg", IMAGE.to_uppercase())),
            (StageName::Shard, "pre/ds/v01/manifest.json"),
            (StageName::Shard, "pre/ds/1/manifest.json"),
            (StageName::Shard, "pre/ds/v0/manifest.json"),
            (StageName::Shard, "pre/ds/v1/notes.txt"),
            (StageName::Shard, "pre/ds/v1/720p/train.coco.json"),
            (StageName::Curate, "pre/ds/v1/720p/notes.coco.json"),
            (StageName::Shard, "pre/ds/v1/720p/notes.tar"),
            (StageName::Shard, "pre/ds/v1/720p/train-3.tar"),
            (StageName::Shard, "pre/ds/v1/720p/train-000003.tar.gz"),
            (StageName::Shard, "pre/ds/v1/720p/.nv-meta/index.sqlite"),
            (StageName::Shard, "pre/ds/v1/manifest.json/"),
            (StageName::Curate, "pre/ds/v1/720p/train/cat.jpg"),
        ] {
            assert_eq!(outputs_of(stage, key), None, "{stage} {key}");
        }
    }
}
