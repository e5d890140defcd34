//! What is compared, and how a difference is told.

use annotations::{Bounds, Frame, Item, Point, RecordId, Refusal, RefusalCode};

use super::select::{Planned, SdkShape, Selected};

/// The largest difference of a coordinate, in pixels, that is rounding.
///
/// Both directions multiply and divide by the image's size and by 100: the largest error of 8,000 coordinates of images
/// up to 8,000 pixels wide was 1e-12.
pub const TOLERANCE: f64 = 1e-6;

/// What the SDK made of a record, where it is not what the record says.
#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    /// The record.
    pub record: RecordId,
    /// The same, and the region if it is about one, as the source names them.
    pub item: Item,
    /// What differs.
    pub what: &'static str,
    /// What the record says.
    pub expected: String,
    /// What the SDK says.
    pub got: String,
}

impl From<Disagreement> for Refusal {
    fn from(disagreement: Disagreement) -> Self {
        let Disagreement { what, expected, got, .. } = &disagreement;
        let detail = format!("{what}: the record says {expected}, the Label Studio SDK {got}");
        Self { item: disagreement.item, code: RefusalCode::ConverterDisagrees, detail }
    }
}

/// The differences found in one record.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    planned: &'a Planned,
    pub(super) found: Vec<Disagreement>,
}

impl<'a> Comparison<'a> {
    pub(super) fn of(planned: &'a Planned) -> Self {
        Self { planned, found: Vec::new() }
    }

    /// Notes a difference of the whole record.
    pub(super) fn differs(&mut self, what: &'static str, expected: impl ToString, got: impl ToString) {
        self.note(None, what, (expected.to_string(), got.to_string()));
    }

    /// Whether the two are equal; notes where they are not.
    pub(super) fn equal<T: PartialEq + std::fmt::Debug>(
        &mut self,
        region: Option<&Selected>,
        what: &'static str,
        (expected, got): (T, T),
    ) -> bool {
        let equal = expected == got;
        if !equal {
            self.note(region, what, (format!("{expected:?}"), format!("{got:?}")));
        }
        equal
    }

    /// Compares coordinates in pixels, and notes the first that differs.
    pub(super) fn coordinates(
        &mut self,
        region: &Selected,
        what: &'static str,
        (expected, got): (&[f64], &[f64]),
    ) {
        if !self.equal(Some(region), what, (expected.len(), got.len())) {
            return;
        }
        // Written so that NaN is a difference.
        let near = |(expected, got): &(&f64, &f64)| (*expected - *got).abs() <= TOLERANCE;
        if let Some((expected, got)) = expected.iter().zip(got).find(|pair| !near(pair)) {
            self.note(Some(region), what, (format!("{expected} px"), format!("{got} px")));
        }
    }

    fn note(&mut self, region: Option<&Selected>, what: &'static str, (expected, got): (String, String)) {
        let item =
            Item { region_id: region.map(|region| region.region_id.clone()), ..self.planned.item.clone() };
        self.found.push(Disagreement { record: self.planned.record_id.clone(), item, what, expected, got });
    }
}

/// The coordinates of a box as COCO writes them.
pub(super) fn box_numbers(bounds: &Bounds) -> [f64; 4] {
    [bounds.x, bounds.y, bounds.width, bounds.height]
}

/// The coordinates of a ring as COCO writes them.
pub(super) fn ring_numbers(ring: &[Point]) -> Vec<f64> {
    ring.iter().flat_map(|point| [point.x, point.y]).collect()
}

/// The bounding box of a shape.
pub(super) fn extent(shape: &SdkShape) -> [f64; 4] {
    match shape {
        SdkShape::Box(bounds) => box_numbers(bounds),
        SdkShape::Ring(ring) => {
            let (mut left, mut top, mut right, mut bottom) =
                (f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
            for point in ring {
                (left, right) = (left.min(point.x), right.max(point.x));
                (top, bottom) = (top.min(point.y), bottom.max(point.y));
            }
            [left, top, right - left, bottom - top]
        }
    }
}

/// Width and height as numbers.
pub(super) fn size(frame: Frame) -> (f64, f64) {
    (f64::from(frame.width), f64::from(frame.height))
}
