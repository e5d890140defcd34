//! What was converted by whom.

use std::collections::BTreeMap;
use std::time::Duration;

use annotations::Format;
use serde_json::{Map, Value, json};

use super::compare::TOLERANCE;
use super::select::Exception;

/// What a verifier has seen so far; what annotation manifests record of the conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversionReport {
    /// The manifests' `converter_version`: that of the SDK, as its package states it.
    pub sdk_version: String,
    /// The format that records came from.
    pub format: Format,
    /// Records seen.
    pub records: u64,
    /// Regions that the SDK converted too, by kind of shape.
    pub by_sdk: BTreeMap<&'static str, u64>,
    /// Regions that we alone converted, by kind of shape and reason.
    pub by_us: BTreeMap<(&'static str, Exception), u64>,
    /// Records of which the SDK says something else.
    pub disagreeing: u64,
    /// How long the SDK took.
    pub elapsed: Duration,
    /// How conversions are made: the same for every batch.
    pub settings: Map<String, Value>,
}

impl ConversionReport {
    /// The manifests' `conversion_parameters`: the settings and the counts.
    pub fn parameters(&self) -> Map<String, Value> {
        let mut by_us: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for ((kind, exception), count) in &self.by_us {
            by_us.entry(kind).or_default().insert(exception.as_str().to_owned(), json!(count));
        }
        let mut parameters = self.settings.clone();
        parameters.insert("format".to_owned(), json!(self.format.as_str()));
        parameters.insert("tolerance_px".to_owned(), json!(TOLERANCE));
        parameters.insert("records".to_owned(), json!(self.records));
        parameters.insert("records_disagreeing".to_owned(), json!(self.disagreeing));
        parameters.insert("regions_by_sdk".to_owned(), json!(self.by_sdk));
        parameters.insert("regions_by_us".to_owned(), json!(by_us));
        parameters
    }
}
