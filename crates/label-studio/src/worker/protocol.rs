//! The lines that go to the worker and come back; `python/label_studio_worker/protocol.py` is the other side.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The protocol that we speak.
pub(crate) const PROTOCOL_VERSION: u32 = 1;
/// The SDK whose behaviour the selection of regions was measured with.
pub(crate) const SDK_VERSION: &str = "2.1.2";

/// What the worker is asked for. Paths are absolute; the folder of the output exists.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum Operation<'a> {
    /// Which versions it has.
    Version,
    /// Label Studio's tasks to COCO.
    LsToCoco {
        /// A list of tasks.
        input_path: &'a Path,
        /// Where `result.json` goes.
        output_dir: &'a Path,
        /// The label configuration.
        label_config_path: &'a Path,
    },
    /// COCO to Label Studio's tasks.
    CocoToLs {
        /// A COCO document.
        input_path: &'a Path,
        /// Where `result.json` goes.
        output_dir: &'a Path,
        /// What is put before the images' file names.
        image_root_url: &'a str,
    },
}

/// One request.
#[derive(Debug, Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) operation: Operation<'a>,
}

/// The answer to it.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    /// `None` where the worker could not read the request.
    pub(crate) id: Option<u64>,
    pub(crate) ok: bool,
    pub(crate) output: Option<PathBuf>,
    pub(crate) stats: Option<Stats>,
    pub(crate) version: Option<Versions>,
    pub(crate) error: Option<AnsweredError>,
    #[serde(default)]
    pub(crate) rss_bytes: u64,
}

/// What a conversion cost.
#[derive(Debug, Deserialize)]
pub(crate) struct Stats {
    pub(crate) seconds: f64,
}

/// Why a request was not served.
#[derive(Debug, Deserialize)]
pub(crate) struct AnsweredError {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// Which versions a worker has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Versions {
    /// The worker's own, for manifests.
    pub worker: String,
    /// The protocol that it speaks.
    pub protocol: u32,
    /// The SDK's, as its package states it.
    pub sdk: String,
}

impl Versions {
    pub(crate) fn fit(&self) -> bool {
        self.protocol == PROTOCOL_VERSION && self.sdk == SDK_VERSION
    }
}
