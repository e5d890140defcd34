//! Annotations (L0, pure): what people and models say of images, independent of the tool that they said it in.
//!
//! - [`Record`] is the canonical form: one annotation of one original by one annotator or model, its [`Region`]s in
//!   pixels of the image as it is displayed.
//! - [`transform`] is a region in the pixels of a variant, [`Record::to_displayed`] a record in those of the displayed
//!   image.
//! - [`coco`] and [`label_studio`] read and write the files of tools; what these leave open is decided there.
//! - [`ImageIndex`] finds the image that a record names, and [`select`] decides which of several records is used.

mod category;
pub mod coco;
mod frame;
mod geometry;
mod header;
mod join;
pub mod json_items;
pub mod label_studio;
mod mask;
mod record;
mod refusal;
mod region;
mod select;
mod shape;
mod values;

pub use category::{Category, CategoryDefinition, Registry, WantedCategory};
pub use geometry::{ClipPolicy, DropReason, ELLIPSE_VERTICES, Note, Transformed, outline, transform};
pub use join::{ImageIndex, JoinRule};
pub use mask::{Mask, MaskError};
pub use record::{Format, Frame, FrameKind, Origin, Provenance, Record, RecordId};
pub use refusal::{Item, Refusal, RefusalCode};
pub use region::{Drawn, Keypoint, Region, Visibility};
pub use select::{SELECTION_POLICY, Selection, SetAside, select};
pub use shape::{Bounds, MAX_REGION_POINTS, Point, Polygon, Shape};
