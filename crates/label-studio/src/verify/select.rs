//! What the SDK converts rightly, and why it is not given the rest.

use annotations::label_studio::is_sayable;
use annotations::{Bounds, Frame, Item, Point, Record, RecordId, Region, Registry, Shape};
use serde_json::Value;

use super::Candidate;

macro_rules! exceptions {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)*) => {
        /// Why a region is converted by us alone. What the SDK does with each is in parentheses.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Exception {
            $($(#[$doc])* $variant,)*
        }

        impl Exception {
            /// Every exception.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The exception as text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

exceptions! {
    /// A rotated box (a wrong bounding box wherever the image is not square; the rotation is lost).
    Rotated => "rotated",
    /// An ellipse, mask, point or statement about the whole image (dropped, or merged with others).
    Shape => "shape",
    /// No label or more than one (dropped; all but the first lost).
    Labels => "labels",
    /// A label without category (a new id, which may be that of another label).
    NoCategory => "no_category",
    /// A label that XML cannot hold: empty, or with control characters (the label configuration is not readable).
    LabelNotXml => "label_not_xml",
    /// Joints (merged into one instance; their names and hidden ones lost).
    Keypoints => "keypoints",
    /// A crowd (`iscrowd` lost).
    Crowd => "crowd",
    /// Several polygons (several annotations), or one with holes (lost).
    SeveralRings => "several_rings",
    /// A line (closed).
    OpenRing => "open_ring",
    /// The image's size is not known (the region and its image are dropped).
    NoSize => "no_size",
    /// Fewer than three points, or coordinates that are not finite (nonsense, or an exception).
    Degenerate => "degenerate",
}

/// A shape that the SDK knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SdkShape {
    Box(Bounds),
    Ring(Vec<Point>),
}

impl SdkShape {
    /// How many points are written and compared.
    pub(super) fn points(&self) -> usize {
        match self {
            Self::Box(_) => 2,
            Self::Ring(ring) => ring.len(),
        }
    }
}

/// A region that the SDK is given.
#[derive(Debug, Clone)]
pub(super) struct Selected {
    pub(super) region_id: String,
    pub(super) label: String,
    pub(super) category_id: u32,
    pub(super) shape: SdkShape,
    /// The region as it was in the file.
    pub(super) original: Option<Value>,
}

/// A record that the SDK is given, at least a part of it.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// Its place among the candidates.
    pub(super) index: usize,
    pub(super) record_id: RecordId,
    pub(super) item: Item,
    /// `None` only where there are no regions.
    pub(super) frame: Option<Frame>,
    pub(super) regions: Vec<Selected>,
}

/// The part of a candidate that the SDK converts rightly, and the exceptions: kind of shape and reason. `None` where
/// all there is are exceptions: the SDK would drop the image.
pub(super) fn select(
    index: usize,
    candidate: &Candidate<'_>,
    categories: &Registry,
) -> (Option<Planned>, Vec<(&'static str, Exception)>) {
    let record = candidate.record;
    let (mut regions, mut exceptions) = (Vec::new(), Vec::new());
    for region in &record.regions {
        match select_region(record, region, categories) {
            Ok(selected) => regions.push(Selected { original: original(candidate, region), ..selected }),
            Err(exception) => exceptions.push((region.shape.kind(), exception)),
        }
    }
    let planned =
        Planned { index, record_id: record.id.clone(), item: record.item(), frame: record.frame, regions };
    let given = !planned.regions.is_empty() || record.regions.is_empty();
    (given.then_some(planned), exceptions)
}

fn select_region(record: &Record, region: &Region, categories: &Registry) -> Result<Selected, Exception> {
    let shape = shape(&region.shape)?;
    let [label] = region.labels.as_slice() else { return Err(Exception::Labels) };
    let category = categories.get(label).ok_or(Exception::NoCategory)?;
    let broken = [
        (!is_sayable(label), Exception::LabelNotXml),
        (!region.keypoints.is_empty(), Exception::Keypoints),
        (region.crowd, Exception::Crowd),
        (record.frame.is_none(), Exception::NoSize),
    ];
    if let Some((_, exception)) = broken.into_iter().find(|(broken, _)| *broken) {
        return Err(exception);
    }
    Ok(Selected {
        region_id: region.id.clone(),
        label: label.clone(),
        category_id: category.id,
        shape,
        original: None,
    })
}

fn shape(shape: &Shape) -> Result<SdkShape, Exception> {
    match shape {
        Shape::Box(bounds) => {
            let numbers = [bounds.x, bounds.y, bounds.width, bounds.height];
            let finite = numbers.iter().all(|number| number.is_finite());
            if finite { Ok(SdkShape::Box(*bounds)) } else { Err(Exception::Degenerate) }
        }
        Shape::Polygon { closed: false, .. } => Err(Exception::OpenRing),
        Shape::Polygon { polygons, closed: true } => match polygons.as_slice() {
            [polygon] if polygon.holes.is_empty() => {
                let finite = polygon.exterior.iter().all(|point| point.x.is_finite() && point.y.is_finite());
                if !finite || polygon.exterior.len() < 3 {
                    return Err(Exception::Degenerate);
                }
                Ok(SdkShape::Ring(polygon.exterior.clone()))
            }
            _ => Err(Exception::SeveralRings),
        },
        Shape::RotatedBox { .. } => Err(Exception::Rotated),
        Shape::Image | Shape::Point { .. } | Shape::Ellipse { .. } | Shape::Mask(_) => Err(Exception::Shape),
    }
}

/// The region of the original annotation that has the region's id.
fn original(candidate: &Candidate<'_>, region: &Region) -> Option<Value> {
    let result = candidate.original?.as_array()?;
    let of_id = |item: &&Value| item.get("id").and_then(Value::as_str) == Some(region.id.as_str());
    result.iter().find(of_id).cloned()
}
