//! `<split>.wids.json`: the shard list that wids (WebDataset's random access) opens.
//!
//! The optional `md5sum` is left out: the loader does not look at it, and the manifest has the SHA-256.

use serde::Serialize;

/// One shard of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WidsShard {
    /// Where the tar is, relative to the document. wids caches by the last segment, so that must differ
    /// between all shards of a dataset.
    pub url: String,
    /// Samples in it.
    pub samples: u64,
    /// Its size.
    pub bytes: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "__kind__")]
    kind: &'static str,
    wids_version: u32,
    name: &'a str,
    shardlist: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    url: &'a str,
    nsamples: u64,
    filesize: u64,
}

impl<'a> From<&'a WidsShard> for Entry<'a> {
    fn from(shard: &'a WidsShard) -> Self {
        let WidsShard { url, samples, bytes } = shard;
        Self { url, nsamples: *samples, filesize: *bytes }
    }
}

/// The document for one split, `name` being for people. Same input, same bytes.
pub fn wids_index(name: &str, shards: &[WidsShard]) -> String {
    let document = Document {
        kind: "wids-shard-index-v1",
        wids_version: 1,
        name,
        shardlist: shards.iter().map(Entry::from).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).expect("strings and numbers always serialise");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_fields_that_wids_reads() {
        let shard = WidsShard { url: "train-000000.tar".into(), samples: 3, bytes: 4608 };
        let expected = r#"{
  "__kind__": "wids-shard-index-v1",
  "wids_version": 1,
  "name": "animals v1 720p train",
  "shardlist": [
    {
      "url": "train-000000.tar",
      "nsamples": 3,
      "filesize": 4608
    }
  ]
}
"#;
        assert_eq!(wids_index("animals v1 720p train", &[shard]), expected);
    }
}
