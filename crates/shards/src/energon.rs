//! `.nv-meta/`: what Megatron Energon needs to open a variant, as `energon prepare` would write it.

use std::fmt::Write as _;

use serde::Serialize;

/// The Energon release whose `prepare` these documents equal.
pub const ENERGON_VERSION: &str = "7.4.1";

#[derive(Serialize)]
struct Info {
    energon_version: &'static str,
    shard_counts: serde_json::Map<String, serde_json::Value>,
}

/// `.nv-meta/.info.json`: samples by shard, each shard as its path relative to the variant.
pub fn energon_info(shard_counts: &[(String, u64)]) -> String {
    // A serde_json map without `preserve_order` is sorted by key, which is the order of `prepare`.
    let shard_counts = shard_counts.iter().map(|(shard, count)| (shard.clone(), (*count).into())).collect();
    let info = Info { energon_version: ENERGON_VERSION, shard_counts };
    serde_json::to_string_pretty(&info).expect("strings and numbers always serialise")
}

/// `.nv-meta/split.yaml`: the shards of each split.
pub fn energon_split(parts: &[(types::Split, Vec<String>)]) -> String {
    let mut text = String::from("split_parts:\n");
    for (split, shards) in parts {
        if shards.is_empty() {
            writeln!(text, "  {split}: []").expect("writing to a String does not fail");
        } else {
            writeln!(text, "  {split}:").expect("writing to a String does not fail");
        }
        for shard in shards {
            writeln!(text, "  - {shard}").expect("writing to a String does not fail");
        }
    }
    text.push_str("exclude: []\n");
    text
}

/// `.nv-meta/dataset.yaml`: samples as plain dictionaries, for the user's own cooker.
pub fn energon_dataset() -> &'static str {
    "__module__: megatron.energon\n__class__: CrudeWebdataset\n"
}
