//! Curation requests.

use annotations::Format;
use dataset_builder::AnnotationSettings;
use serde::{Deserialize, Serialize};
use types::{DatasetName, RejectCode, RejectReason, Split, VersionNumber};

/// How the training dataset is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// Shards like those of the version it comes from.
    #[default]
    Webdataset,
    /// One file per image, with a `metadata.jsonl` per split (Hugging Face's `ImageFolder`).
    Files,
}

/// What somebody wants to train on, as a JSON document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurationRequest {
    /// The name of the training dataset; a name of its own, not that of a dataset with images.
    pub name: DatasetName,
    /// The dataset to choose from.
    pub dataset: DatasetName,
    /// The published version to choose from.
    pub version: VersionNumber,
    /// The variant to choose from.
    pub variant: String,
    /// Splits to take; all when empty.
    #[serde(default)]
    pub splits: Vec<Split>,
    /// The least width of the original, in pixels.
    #[serde(default)]
    pub min_width: u32,
    /// The least height of the original, in pixels.
    #[serde(default)]
    pub min_height: u32,
    /// Only samples that people have looked at (true), or only the others (false).
    #[serde(default)]
    pub reviewed: Option<bool>,
    /// Labels of which a sample must have one; refused where the version has no such category.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The most samples per label: a sample is left out when all of its labels have so many already.
    #[serde(default)]
    pub limit_per_class: Option<u64>,
    /// The most samples per split.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Decides the order, and with a limit the choice.
    #[serde(default = "default_seed")]
    pub seed: String,
    /// How it is laid out.
    #[serde(default)]
    pub output: OutputKind,
    /// Annotation files to write beside the data, one of each kind per split.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotation_files: Vec<Format>,
    /// The size that shards aim at, in bytes.
    #[serde(default = "default_shard_bytes")]
    pub shard_bytes: u64,
}

impl CurationRequest {
    /// Refuses what contradicts itself or asks for what a version does not hold.
    ///
    /// # Errors
    /// The reason.
    pub fn check(&self) -> Result<(), RejectReason> {
        let refuse = |detail: &str| Err(RejectReason::new(RejectCode::InvalidRequest, detail));
        if self.name == self.dataset {
            return refuse("the training dataset needs a name of its own");
        }
        if self.limit_per_class == Some(0) {
            return refuse("a limit of 0 per class leaves nothing");
        }
        if !((64 << 10)..=(8 << 30)).contains(&self.shard_bytes) {
            return refuse("shard_bytes is not from 64 KiB to 8 GiB");
        }
        if self.limit == Some(0) {
            return refuse("a limit of 0 leaves nothing");
        }
        if self.annotation_files.iter().enumerate().any(|(n, kind)| self.annotation_files[..n].contains(kind))
        {
            return refuse("annotation_files names a kind twice");
        }
        Ok(())
    }

    /// Refuses labels that the version does not know.
    ///
    /// # Errors
    /// The reason.
    pub fn check_labels(&self, version: &AnnotationSettings) -> Result<(), RejectReason> {
        let known = |label: &String| version.categories.iter().any(|known| known.definition.name == *label);
        match self.labels.iter().find(|label| !known(label)) {
            None => Ok(()),
            Some(label) => {
                let detail = format!("the version has no category {label:?}");
                Err(RejectReason::new(RejectCode::InvalidRequest, detail))
            }
        }
    }
}

fn default_seed() -> String {
    "imageml".to_owned()
}

fn default_shard_bytes() -> u64 {
    256 << 20
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> serde_json::Result<CurationRequest> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_short_request_is_enough() {
        let request =
            parse(r#"{"name":"t","dataset":"d","version":3,"variant":"720p"}"#).expect("a valid request");
        assert_eq!(request.check(), Ok(()));
        assert_eq!(request.output, OutputKind::Webdataset);
    }

    #[test]
    fn misspelt_and_impossible_requests_are_refused() {
        assert!(
            parse(r#"{"name":"t","dataset":"d","version":3,"variant":"720p","split":["train"]}"#).is_err()
        );
        assert!(parse(r#"{"name":"t","dataset":"d","version":0,"variant":"720p"}"#).is_err());
        for extra in [
            r#""limit":0"#,
            r#""limit_per_class":0"#,
            r#""shard_bytes":1"#,
            r#""annotation_files":["coco","coco"]"#,
        ] {
            let json = format!(r#"{{"name":"t","dataset":"d","version":3,"variant":"720p",{extra}}}"#);
            assert!(parse(&json).expect("parses").check().is_err(), "{extra}");
        }
        let own = parse(r#"{"name":"d","dataset":"d","version":3,"variant":"720p"}"#).expect("parses");
        assert!(own.check().is_err());
        let labelled = parse(r#"{"name":"t","dataset":"d","version":3,"variant":"720p","labels":["cat"]}"#);
        assert!(labelled.expect("parses").check_labels(&AnnotationSettings::default()).is_err());
    }
}
