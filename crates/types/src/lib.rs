//! The vocabulary of ImageML (L0): ids, locations, policies, manifests and dispositions.
//!
//! Everything here is a plain value: no I/O, no clock, no randomness. Every other crate speaks in
//! these types, so a word means one thing from an object key to a metric label.

mod affine;
mod dataset_version;
mod disposition;
mod ids;
pub mod layout;
mod location;
mod orientation;
mod policy;
mod records;
mod size_spec;
mod split;
mod stage;

pub use affine::Affine;
pub use dataset_version::{DatasetVersionManifest, ShardEntry, VariantSummary, VersionNumber};
pub use disposition::{Disposition, RejectCode, RejectReason};
pub use ids::{DatasetName, ImageId, InvalidId, PolicyHash, Sha256};
pub use location::{BucketName, InvalidUri, ObjectVersion, S3Uri, escape_key};
pub use orientation::Orientation;
pub use policy::{AlphaPolicy, InvalidPolicy, JpegQuality, NormalizationPolicy, OutputFormat, Rgb};
pub use records::{LineageEdge, ManifestEntry, OriginalRecord, Relation, StageManifest, VariantRecord};
pub use size_spec::{Fit, InvalidSizes, SIZE_GRAMMAR, SizeSpec, Sizes};
pub use split::{Split, SplitRatios};
pub use stage::StageName;
