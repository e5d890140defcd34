//! Where things are in S3: every key of the pipeline is built, and taken apart, here.
//!
//! All below a configured prefix, always `<prefix>/<dataset>/…`. What one stage writes is what the next watches.

mod output_key;

use crate::{DatasetName, ImageId, PolicyHash, S3Uri, Sha256, Split, StageName, VersionNumber};

pub use output_key::OutputKey;

const ANNOTATIONS: &str = "annotations";
const IMAGES: &str = "images";
const MANIFESTS: &str = "manifests";
const NORMALIZED: &str = "normalized";
/// Hex digits of a content's digest in a bronze key.
const CONTENT_DIGITS: usize = 16;

/// The manifests of one stage and dataset: `<prefix>/<dataset>/manifests/<stage>/`.
pub fn manifest_folder(prefix: &S3Uri, dataset: &DatasetName, stage: StageName) -> S3Uri {
    prefix.join(dataset.as_str()).join(MANIFESTS).join(stage.as_str())
}

/// The folder of a dataset's bronze images: `<prefix>/<dataset>/images`.
pub fn bronze_images(prefix: &S3Uri, dataset: &DatasetName) -> S3Uri {
    prefix.join(dataset.as_str()).join(IMAGES)
}

/// The bronze copy of an original: `<prefix>/<dataset>/images/<folders of the relative key>/<digest 16>-<name>`.
///
/// The digest of the content makes each content an object of its own: a worker that is late with an older content of
/// the same key does not replace the newer one (docs/adr/0009).
pub fn bronze_image(prefix: &S3Uri, dataset: &DatasetName, relative_key: &str, content: &Sha256) -> S3Uri {
    with_digest(&bronze_images(prefix, dataset), relative_key, content)
}

/// The untouched copy of an annotation file:
/// `<prefix>/<dataset>/annotations/<folders of the relative key>/<digest 16>-<name>`.
pub fn bronze_annotations(
    prefix: &S3Uri,
    dataset: &DatasetName,
    relative_key: &str,
    content: &Sha256,
) -> S3Uri {
    with_digest(&prefix.join(dataset.as_str()).join(ANNOTATIONS), relative_key, content)
}

/// What was refused of an annotation file: beside its copy, with `.report.json` appended.
pub fn annotation_report(archive: &S3Uri) -> S3Uri {
    S3Uri::new(archive.bucket().clone(), format!("{}.report.json", archive.key()))
}

/// `<folder>/<folders of the relative key>/<digest 16>-<name>`
fn with_digest(folder: &S3Uri, relative_key: &str, content: &Sha256) -> S3Uri {
    // Not `join`: a relative key keeps its own leading slashes and dots.
    let (folders, name) = relative_key.split_at(relative_key.rfind('/').map_or(0, |slash| slash + 1));
    let mut digest = content.to_hex();
    digest.truncate(CONTENT_DIGITS);
    S3Uri::new(folder.bucket().clone(), format!("{}/{folders}{digest}-{name}", folder.key()))
}

/// The dataset of a bronze image below `prefix`; `None` for any other object.
pub fn bronze_dataset(prefix: &S3Uri, object: &S3Uri) -> Option<DatasetName> {
    let (dataset, rest) = prefix.relative(object)?.split_once('/')?;
    let relative_key = rest.strip_prefix(IMAGES)?.strip_prefix('/')?;
    if relative_key.is_empty() { None } else { dataset.parse().ok() }
}

/// A variant: `<prefix>/<dataset>/normalized/<variant>/<image id>-<policy hash 8>.<extension>`.
pub fn variant(
    prefix: &S3Uri,
    dataset: &DatasetName,
    variant: &str,
    image: &ImageId,
    policy: &PolicyHash,
    extension: &str,
) -> S3Uri {
    let name = format!("{image}-{}.{extension}", policy.short());
    prefix.join(dataset.as_str()).join(NORMALIZED).join(variant).join(&name)
}

/// The folder of a dataset version: `<prefix>/<dataset>/v<N>`.
pub fn version(prefix: &S3Uri, dataset: &DatasetName, version: VersionNumber) -> S3Uri {
    prefix.join(dataset.as_str()).join(&version.to_string())
}

/// The manifest of a dataset version: `<prefix>/<dataset>/v<N>/manifest.json`.
pub fn version_manifest(prefix: &S3Uri, dataset: &DatasetName, number: VersionNumber) -> S3Uri {
    version(prefix, dataset, number).join("manifest.json")
}

/// The base name of a shard: `<split>-<000000>`.
pub fn shard_stem(split: Split, number: u32) -> String {
    format!("{split}-{number:06}")
}

/// What a planner asks for, as an object of the shard stage's input prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanKey {
    /// Build one shard: `<prefix>/<dataset>/v<N>/shards/<variant>/<split>-<000000>.json`.
    Shard {
        /// The variant.
        variant: String,
        /// The split.
        split: Split,
        /// The shard's number within variant and split.
        number: u32,
    },
    /// Publish the version when all its shards are built: `<prefix>/<dataset>/v<N>/version.json`, listed after
    /// the shards.
    Version,
}

impl PlanKey {
    /// Where the plan is.
    pub fn uri(&self, prefix: &S3Uri, dataset: &DatasetName, number: VersionNumber) -> S3Uri {
        let folder = version(prefix, dataset, number);
        match self {
            Self::Shard { variant, split, number } => {
                folder.join("shards").join(variant).join(&format!("{}.json", shard_stem(*split, *number)))
            }
            Self::Version => folder.join("version.json"),
        }
    }
}

/// The dataset of a plan or request below `prefix`: the first segment of a `.json` object.
pub fn plan_dataset(prefix: &S3Uri, object: &S3Uri) -> Option<DatasetName> {
    let (dataset, rest) = prefix.relative(object)?.split_once('/')?;
    if rest.ends_with(".json") { dataset.parse().ok() } else { None }
}

/// Whether a stage that writes below `prefix` may have written this object, by its key alone.
pub fn is_output(stage: StageName, prefix: &S3Uri, object: &S3Uri) -> bool {
    OutputKey::of(stage, prefix, object).is_some()
}

/// Where a stage's janitor notes what it is deleting: `<prefix>/.janitor/<stage>.json`. No dataset is called that.
pub fn janitor_journal(prefix: &S3Uri, stage: StageName) -> S3Uri {
    prefix.join(".janitor").join(&format!("{stage}.json"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prefix(text: &str) -> S3Uri {
        text.parse().expect("a valid prefix")
    }

    #[test]
    fn keys_are_as_the_architecture_says() {
        let (root, name): (_, DatasetName) = (prefix("s3://bucket/pre"), "ds".parse().expect("valid"));
        let image: ImageId = "00112233445566778899aabbccddeeff".parse().expect("valid");
        let uri = variant(&root, &name, "720p", &image, &PolicyHash::of("abc"), "jpg");
        assert_eq!(
            uri.to_string(),
            "s3://bucket/pre/ds/normalized/720p/00112233445566778899aabbccddeeff-ba7816bf.jpg"
        );
        let shard = PlanKey::Shard { variant: "720p".to_owned(), split: Split::Train, number: 7 };
        assert_eq!(
            shard.uri(&root, &name, VersionNumber::FIRST).key(),
            "pre/ds/v1/shards/720p/train-000007.json"
        );
        assert_eq!(
            version_manifest(&prefix("s3://bucket"), &name, VersionNumber::FIRST).key(),
            "ds/v1/manifest.json"
        );
        assert!(
            shard.uri(&root, &name, VersionNumber::FIRST)
                < PlanKey::Version.uri(&root, &name, VersionNumber::FIRST)
        );
    }

    proptest! {
        #[test]
        fn any_relative_key_stays_its_datasets(relative in ".+") {
            let (root, name): (_, DatasetName) = (prefix("s3://bucket/pre"), "ds".parse().expect("valid"));
            let (one, other) = (Sha256::of("one"), Sha256::of("other"));
            let uri = bronze_image(&root, &name, &relative, &one);
            prop_assert_eq!(bronze_dataset(&root, &uri), Some(name.clone()));
            // SHA-256 of "one", by sha256sum.
            prop_assert_eq!(uri.key().replace("7692c3ad3540bb80-", ""), format!("pre/ds/images/{relative}"));
            prop_assert_ne!(bronze_image(&root, &name, &relative, &other), uri);
        }
    }
}
