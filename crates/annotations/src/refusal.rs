//! What is not imported, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a refusal is about; as much of it as is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Item {
    /// Its place in the file's list of tasks, images or annotations, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The image, as the file names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Label Studio's task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<i64>,
    /// Label Studio's annotation or prediction, or COCO's annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotation_id: Option<i64>,
    /// Label Studio's region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_id: Option<String>,
    /// COCO's image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<i64>,
    /// COCO's category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<i64>,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.index.map(|index| format!("item {index}")),
            self.task_id.map(|id| format!("task {id}")),
            self.image_id.map(|id| format!("image {id}")),
            self.category_id.map(|id| format!("category {id}")),
            self.annotation_id.map(|id| format!("annotation {id}")),
            self.region_id.as_ref().map(|id| format!("region {id:?}")),
            self.image.as_ref().map(|image| format!("({image})")),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        f.write_str(if parts.is_empty() { "the file" } else { "" })?;
        f.write_str(&parts.join(" "))
    }
}

macro_rules! refusal_codes {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)*) => {
        /// The closed set of reasons why an item is not imported.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum RefusalCode {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl RefusalCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

refusal_codes! {
    /// Not the JSON that the format asks for: a syntax error, a wrong type, a missing field.
    Malformed => "malformed",
    /// The file ends in the middle of the item.
    Truncated => "truncated",
    /// A number that is not a number, or infinite.
    NotFinite => "not_finite",
    /// Coordinates outside of the image by more than rounding explains.
    OutOfRange => "out_of_range",
    /// A shape without extent, or a ring of fewer than three points.
    Degenerate => "degenerate",
    /// A label that the given label configuration or the file's own categories do not have.
    UnknownLabel => "unknown_label",
    /// A region without any label.
    NoLabel => "no_label",
    /// Two items of one kind with the same id.
    DuplicateId => "duplicate_id",
    /// An id that refers to nothing.
    DanglingReference => "dangling_reference",
    /// No image is named.
    NoImage => "no_image",
    /// The task has several fields that may be the image.
    SeveralImages => "several_images",
    /// The size of the image is not given.
    NoSize => "no_size",
    /// Regions of one record say different sizes of the image.
    SizeConflict => "size_conflict",
    /// Drawn on an image that was turned in the editor.
    RotatedImage => "rotated_image",
    /// A kind of region that we do not take.
    UnsupportedShape => "unsupported_shape",
    /// More points, regions, labels or bytes than the limits allow.
    LimitExceeded => "limit_exceeded",
    /// The converter of the Label Studio SDK and our own calculation differ.
    ConverterDisagrees => "converter_disagrees",
    /// No image of the dataset fits the reference (yet).
    ImageNotFound => "image_not_found",
    /// Several images of the dataset fit the reference.
    ImageAmbiguous => "image_ambiguous",
    /// The image has another size than the record was drawn on.
    SizeMismatch => "size_mismatch",
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One item that is not imported. A record is imported whole or not at all: a picture with one of its objects missing
/// would teach that nothing is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What.
    #[serde(flatten)]
    pub item: Item,
    /// Why.
    pub code: RefusalCode,
    /// The same in words.
    pub detail: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.item, self.code, self.detail)
    }
}
