//! `.nv-meta/`: what Megatron Energon needs to open a variant, as `energon prepare` would write it.

use serde::Serialize;
use types::Split;

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

/// `.nv-meta/split.yaml`: the shards of each split, runs of numbered names as one brace range.
///
/// Names are plain YAML scalars as long as they are letters, digits and `._/-`, as ours are.
pub fn energon_split(parts: &[(Split, Vec<String>)]) -> String {
    let mut text = String::from("split_parts:\n");
    for (split, shards) in parts {
        if shards.is_empty() {
            text.push_str(&format!("  {split}: []\n"));
        } else {
            text.push_str(&format!("  {split}:\n"));
        }
        for pattern in collapse(shards) {
            text.push_str(&format!("  - {pattern}\n"));
        }
    }
    text.push_str("exclude: []\n");
    text
}

/// `.nv-meta/dataset.yaml`: samples as plain dictionaries, for the user's own cooker.
pub fn energon_dataset() -> &'static str {
    "__module__: megatron.energon\n__class__: CrudeWebdataset\n"
}

/// Names in their order, with each run of names whose last number counts up by one written
/// `<before>{<first>..<last>}<after>`. What Energon's `bracecollapse` gives for names with one number.
fn collapse(names: &[String]) -> Vec<String> {
    let mut patterns = Vec::new();
    let mut rest = names;
    while let Some((first, others)) = rest.split_first() {
        let mut last = first.clone();
        let run = others.iter().take_while(|name| {
            let follows = successor(&last).as_ref() == Some(*name);
            if follows {
                last.clone_from(name);
            }
            follows
        });
        let length = run.count();
        patterns.push(match (length, cut_number(first), cut_number(&last)) {
            (1.., Some((before, from, after)), Some((_, to, _))) => {
                format!("{before}{{{from}..{to}}}{after}")
            }
            _ => first.clone(),
        });
        rest = &others[length..];
    }
    patterns
}

/// The name with its last number one higher in as many digits, if it has one and there is room.
fn successor(name: &str) -> Option<String> {
    let (before, digits, after) = cut_number(name)?;
    let width = digits.len();
    let next = (digits.parse::<u64>().ok()?.checked_add(1)?).to_string();
    (next.len() <= width).then(|| format!("{before}{next:0>width$}{after}"))
}

/// What is before, in and after the last run of digits.
fn cut_number(name: &str) -> Option<(&str, &str, &str)> {
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (head, after) = name.split_at(end);
    let start = head.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (before, digits) = head.split_at(start);
    Some((before, digits, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(split: &str, numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
        numbers.into_iter().map(|n| format!("{split}-{n:06}.tar")).collect()
    }

    // Expected texts are the files that `energon prepare` 7.4.1 wrote for shards of these names
    // (--split-parts 'train:train-.*' …); tests/loaders compares with a live run.
    #[test]
    fn documents_are_those_of_energon_prepare() {
        let parts =
            [(Split::Train, names("train", 0..3)), (Split::Val, names("val", [0])), (Split::Test, vec![])];
        let expected = "split_parts:\n  train:\n  - train-{000000..000002}.tar\n  val:\n  - val-000000.tar\n  \
                        test: []\nexclude: []\n";
        assert_eq!(energon_split(&parts), expected);

        // Given in the order of the splits, written in the order of the names.
        let counts = [("val-000000.tar".to_owned(), 2), ("train-000000.tar".to_owned(), 5)];
        let expected = "{\n  \"energon_version\": \"7.4.1\",\n  \"shard_counts\": {\n    \
                        \"train-000000.tar\": 5,\n    \"val-000000.tar\": 2\n  }\n}";
        assert_eq!(energon_info(&counts), expected);
    }

    #[test]
    fn only_consecutive_names_collapse() {
        let collapsed = collapse(&names("train", [0, 1, 3, 7, 8, 9]));
        assert_eq!(
            collapsed,
            ["train-{000000..000001}.tar", "train-000003.tar", "train-{000007..000009}.tar"]
        );
        let odd = ["a.tar", "b.tar", "x9.tar", "x10.tar"].map(String::from);
        assert_eq!(collapse(&odd), odd, "no number, and a number that changes width");
    }
}
