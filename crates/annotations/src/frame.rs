//! From the pixels that a record was drawn on to those of the image as it is displayed.

use types::{Affine, Orientation};

use crate::geometry::turn;
use crate::{Frame, FrameKind, Record, Refusal, RefusalCode};

impl Record {
    /// The record in the pixels of the image as it is displayed, of which it says that it has `oriented_size`.
    /// `orientation` is how the image's stored pixels are turned for that.
    ///
    /// # Errors
    /// [`RefusalCode::SizeMismatch`] if the record was drawn on another size than the image has. Nothing is guessed:
    /// sides that are those of the stored pixels are named as such.
    pub fn to_displayed(
        &self,
        orientation: Orientation,
        oriented_size: (u32, u32),
    ) -> Result<Self, Box<Refusal>> {
        let Some(frame) = self.frame else { return Ok(self.clone()) };
        // Turning back swaps the sides as turning does.
        let stored_size = orientation.oriented_size(oriented_size);
        let (expected, other) = match frame.kind {
            FrameKind::Displayed => (oriented_size, stored_size),
            FrameKind::Stored => (stored_size, oriented_size),
        };
        let found = (frame.width, frame.height);
        if found != expected {
            return Err(Box::new(self.size_mismatch(frame, expected, found == other)));
        }
        if frame.kind == FrameKind::Displayed {
            return Ok(self.clone());
        }
        let affine = upright(orientation, stored_size);
        let (width, height) = oriented_size;
        Ok(Self {
            frame: Some(Frame { width, height, kind: FrameKind::Displayed }),
            regions: self.regions.iter().map(|region| turn(region, &affine, oriented_size)).collect(),
            ..self.clone()
        })
    }

    fn size_mismatch(&self, frame: Frame, expected: (u32, u32), is_other: bool) -> Refusal {
        let (pixels, others) = match frame.kind {
            FrameKind::Displayed => ("as it is displayed", "the stored pixels'"),
            FrameKind::Stored => ("as its pixels are stored", "the displayed image's"),
        };
        let mut detail = format!(
            "drawn on {}x{}; the image has {}x{} {pixels}",
            frame.width, frame.height, expected.0, expected.1
        );
        if is_other {
            detail += &format!("; {}x{} are {others} sides", frame.width, frame.height);
        }
        Refusal { item: self.item(), code: RefusalCode::SizeMismatch, detail }
    }
}

/// The map from stored pixels to upright ones: what each EXIF orientation asks for (CIPA DC-008, tag 0x0112).
fn upright(orientation: Orientation, (width, height): (u32, u32)) -> Affine {
    let (w, h) = (f64::from(width), f64::from(height));
    Affine(match orientation {
        Orientation::Upright => [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        Orientation::FlipHorizontal => [-1.0, 0.0, w, 0.0, 1.0, 0.0],
        Orientation::Rotate180 => [-1.0, 0.0, w, 0.0, -1.0, h],
        Orientation::FlipVertical => [1.0, 0.0, 0.0, 0.0, -1.0, h],
        Orientation::Transpose => [0.0, 1.0, 0.0, 1.0, 0.0, 0.0],
        Orientation::Rotate90 => [0.0, -1.0, h, 1.0, 0.0, 0.0],
        Orientation::Transverse => [0.0, -1.0, h, -1.0, 0.0, w],
        Orientation::Rotate270 => [0.0, 1.0, 0.0, -1.0, 0.0, w],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, Origin, Provenance, RecordId, Region, Shape};

    fn record(width: u32, height: u32, kind: FrameKind) -> Record {
        let region =
            Region::new("1", "thing", Shape::Box(Bounds { x: 10.0, y: 20.0, width: 30.0, height: 5.0 }));
        Record {
            id: RecordId::of("coco/a.jpg"),
            image: "a.jpg".to_owned(),
            frame: Some(Frame { width, height, kind }),
            origin: Origin::Human { annotator: None },
            provenance: Provenance::Coco { image_id: 7 },
            created_at: None,
            updated_at: None,
            ground_truth: false,
            score: None,
            regions: vec![region],
        }
    }

    #[test]
    fn a_record_in_stored_pixels_is_turned_with_them() {
        // 80x60 stored; the box is 10 from the left, 20 from the top, 40 from the right, 35 from the bottom.
        let stored = record(80, 60, FrameKind::Stored);
        for (tag, [x, y, width, height]) in [
            (1, [10.0, 20.0, 30.0, 5.0]),
            (2, [40.0, 20.0, 30.0, 5.0]),
            (3, [40.0, 35.0, 30.0, 5.0]),
            (4, [10.0, 35.0, 30.0, 5.0]),
            (5, [20.0, 10.0, 5.0, 30.0]),
            (6, [35.0, 10.0, 5.0, 30.0]),
            (7, [35.0, 40.0, 5.0, 30.0]),
            (8, [20.0, 40.0, 5.0, 30.0]),
        ] {
            let orientation = Orientation::from(tag);
            let size = orientation.oriented_size((80, 60));
            let displayed = stored.to_displayed(orientation, size).expect("the stored size");
            assert_eq!(displayed.regions[0].shape, Shape::Box(Bounds { x, y, width, height }), "{tag}");
            let frame = Frame { width: size.0, height: size.1, kind: FrameKind::Displayed };
            assert_eq!(displayed.frame, Some(frame));
        }
    }

    #[test]
    fn another_size_is_refused_and_never_guessed() {
        let refused = |record: &Record, orientation: u16, size| {
            record.to_displayed(Orientation::from(orientation), size).expect_err("another size").to_string()
        };
        let displayed = record(80, 60, FrameKind::Displayed);
        assert_eq!(displayed.to_displayed(Orientation::Rotate180, (80, 60)).as_ref(), Ok(&displayed));
        assert_eq!(
            refused(&displayed, 6, (60, 80)),
            "image 7 (a.jpg): size_mismatch: drawn on 80x60; the image has 60x80 as it is displayed; 80x60 are the \
             stored pixels' sides"
        );
        assert_eq!(
            refused(&displayed, 1, (81, 60)),
            "image 7 (a.jpg): size_mismatch: drawn on 80x60; the image has 81x60 as it is displayed"
        );
        assert_eq!(
            refused(&record(60, 80, FrameKind::Stored), 8, (60, 80)),
            "image 7 (a.jpg): size_mismatch: drawn on 60x80; the image has 80x60 as its pixels are stored; 60x80 are \
             the displayed image's sides"
        );
        let no_frame = Record { frame: None, regions: Vec::new(), ..displayed };
        assert!(no_frame.to_displayed(Orientation::Rotate90, (1, 2)).is_ok());
    }
}
