//! The outermost level of a document.

use crate::json_items::{Root, root};

/// Whether a document looks like Label Studio JSON with annotations or predictions, told by its first item; also one
/// that is cut off.
pub fn looks_like(document: &[u8]) -> bool {
    let names = match root(document) {
        Root::Object(members) => names(members),
        Root::Array(_) => {
            let after_bracket = document.iter().position(|byte| *byte == b'[').map_or(0, |at| at + 1);
            match root(document.get(after_bracket..).unwrap_or_default()) {
                Root::Object(members) => names(members),
                Root::Array(_) | Root::Other => return false,
            }
        }
        Root::Other => return false,
    };
    let has = |name: &str| names.iter().any(|found| found == name);
    let task = has("data") && ["annotations", "predictions", "completions"].into_iter().any(has);
    task || (has("result") && has("task"))
}

fn names(mut members: crate::json_items::Members<'_>) -> Vec<String> {
    let mut names: Vec<_> = members.by_ref().filter_map(Result::ok).map(|(name, _)| name).collect();
    names.extend(members.cut_off().map(|(name, _)| name));
    names
}
