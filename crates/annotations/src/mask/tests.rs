use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What pycocotools 2.0.11 (numpy 2.4.6) makes of a bitmap: `mask.encode(np.asfortranarray(bitmap))`, `mask.area`,
/// `mask.toBbox`.
struct Encoded {
    size: (u32, u32),
    set: fn(u32, u32) -> bool,
    text: &'static str,
    area: u64,
    bounds: Option<[f64; 4]>,
}

const ENCODED: [Encoded; 6] = [
    Encoded { size: (8, 6), set: |_, _| false, text: "`1", area: 0, bounds: None },
    Encoded { size: (8, 6), set: |_, _| true, text: "0`1", area: 48, bounds: Some([0.0, 0.0, 8.0, 6.0]) },
    Encoded {
        size: (8, 6),
        set: |x, y| (2..5).contains(&x) && (1..4).contains(&y),
        text: "=33000a0",
        area: 9,
        bounds: Some([2.0, 1.0, 3.0, 3.0]),
    },
    Encoded {
        size: (7, 5),
        set: |x, y| (x + y) % 2 == 1,
        text: "11100000000000000000000000000000000",
        area: 17,
        bounds: Some([0.0, 0.0, 7.0, 5.0]),
    },
    Encoded {
        size: (4000, 3000),
        set: |x, y| (x, y) == (0, 0) || (x, y) == (3999, 2999),
        text: "01ngV^;0",
        area: 2,
        bounds: Some([0.0, 0.0, 4000.0, 3000.0]),
    },
    // np.mgrid[0:40, 0:50]: (x-20)**2 + (y-15)**2 <= 144.
    Encoded {
        size: (50, 40),
        set: |x, y| x.abs_diff(20).pow(2) + y.abs_diff(15).pow(2) <= 144,
        text: "_:1S18J4M2N2N2N2O0O2O00000O20N1000001N101N2N2N2N3L6Hmd0",
        area: 441,
        bounds: Some([8.0, 3.0, 25.0, 25.0]),
    },
];

#[test]
fn masks_are_what_pycocotools_makes_of_them() {
    for Encoded { size: (width, height), set, text, area, bounds } in ENCODED {
        let mask = Mask::from_fn(width, height, set).expect("small");
        assert_eq!(mask.to_compressed(), text);
        assert_eq!(Mask::from_compressed(width, height, text), Ok(mask.clone()));
        assert_eq!(mask.area(), area, "{text}");
        let bounds = bounds.map(|[x, y, width, height]| Bounds { x, y, width, height });
        assert_eq!(mask.bounds(), bounds, "{text}");
    }
    // mask.frPyObjects({"size": [4, 5], "counts": [3, 5, 2, 4, 6]}, 4, 5)
    let mask = Mask::from_counts(5, 4, [3, 5, 2, 4, 6]).expect("20 pixels");
    assert_eq!(mask.to_compressed(), "352O4");
}

#[test]
fn what_cannot_be_a_mask_is_refused() {
    let size = |width, height| Err(MaskError::Size { width, height });
    assert_eq!(Mask::from_fn(0, 5, |_, _| true), size(0, 5));
    assert_eq!(Mask::from_fn(u32::MAX, u32::MAX, |_, _| true), size(u32::MAX, u32::MAX));
    assert_eq!(Mask::from_counts(1 << 14, (1 << 14) + 1, [1]), size(1 << 14, (1 << 14) + 1));
    assert_eq!(Mask::from_rows(3, 3, &[true; 8]), Err(MaskError::Length { expected: 9, found: 8 }));
    assert_eq!(
        Mask::from_counts(3, 3, [4, u32::MAX, 7]),
        Err(MaskError::Length { expected: 9, found: 4 + u64::from(u32::MAX) })
    );
    let text = |text: &str| Mask::from_compressed(8, 6, text);
    assert_eq!(text("`"), Err(MaskError::Text(1)), "ends in a number");
    assert_eq!(text("=3 "), Err(MaskError::Text(2)));
    assert_eq!(text("=é"), Err(MaskError::Text(1)));
    assert_eq!(text("oooooooo0"), Err(MaskError::Text(7)), "more bits than a length has");
    assert_eq!(text("O"), Err(MaskError::Text(0)), "a negative length");
    assert_eq!(text(""), Err(MaskError::Length { expected: 48, found: 0 }));
}

#[test]
fn a_written_mask_is_checked_when_it_is_read() {
    let mask = Mask::from_fn(8, 6, ENCODED[2].set).expect("small");
    let text = serde_json::to_string(&mask).expect("serializes");
    assert_eq!(text, r#"{"size":[6,8],"counts":"=33000a0"}"#);
    assert_eq!(serde_json::from_str::<Mask>(&text).expect("the same"), mask);
    let plain = r#"{"size":[6,8],"counts":[13,3,3,3,3,3,20]}"#;
    assert_eq!(serde_json::from_str::<Mask>(plain).expect("the same"), mask);
    for wrong in [r#"{"size":[6,9],"counts":"=33000a0"}"#, r#"{"size":[6,8],"counts":[48,1]}"#] {
        let error = serde_json::from_str::<Mask>(wrong).expect_err("runs of another length");
        assert!(error.to_string().contains("pixels"), "{error}");
    }
}

#[test]
fn the_hundred_masks_of_cocoapi_are_read_and_written_as_they_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/annotations/coco");
    let Ok(text) = std::fs::read(folder.join("cocoapi_fakesegm100_results.json")) else {
        eprintln!("skipped: no {}", folder.display());
        return;
    };
    let results: Vec<Value> = serde_json::from_slice(&text).expect("JSON");
    let mut masks = 0;
    for result in &results {
        let written = &result["segmentation"];
        let mask: Mask = serde_json::from_value(written.clone()).expect("a mask");
        assert_eq!(serde_json::to_value(&mask).expect("serializes"), *written);
        assert_eq!(mask.to_rows().iter().filter(|set| **set).count() as u64, mask.area());
        masks += 1;
    }
    assert_eq!(masks, results.len());
    assert!(masks >= 100, "{masks}");
}

fn bitmaps() -> impl Strategy<Value = (u32, u32, Vec<bool>)> {
    (1..20_u32, 1..20_u32).prop_flat_map(|(width, height)| {
        let rows = prop::collection::vec(any::<bool>(), (width * height) as usize);
        (Just(width), Just(height), rows)
    })
}

proptest! {
    #[test]
    fn a_mask_is_its_bitmap((width, height, rows) in bitmaps()) {
        let mask = Mask::from_rows(width, height, &rows).expect("small");
        prop_assert!(mask.to_rows() == rows);
        for y in 0..height {
            for x in 0..width {
                prop_assert_eq!(mask.is_set(x, y), rows[(y * width + x) as usize]);
            }
        }
        prop_assert!(!mask.is_set(width, 0) && !mask.is_set(0, height));
        let set = |(at, _): (usize, _)| ((at as u32 % width) as f64, (at as u32 / width) as f64);
        let set: Vec<_> = rows.iter().enumerate().filter(|(_, set)| **set).map(set).collect();
        prop_assert_eq!(mask.area(), set.len() as u64);
        prop_assert_eq!(mask.bounds().is_some(), !set.is_empty());
        if let Some(Bounds { x, y, width, height }) = mask.bounds() {
            prop_assert!(set.iter().all(|(px, py)| (x..x + width).contains(px) && (y..y + height).contains(py)));
            prop_assert!(set.iter().any(|at| at.0 == x) && set.iter().any(|at| at.0 == x + width - 1.0));
            prop_assert!(set.iter().any(|at| at.1 == y) && set.iter().any(|at| at.1 == y + height - 1.0));
        }
    }

    #[test]
    fn equal_masks_have_equal_runs((width, height, rows) in bitmaps(), cuts in prop::collection::vec(any::<bool>(), 40)) {
        let mask = Mask::from_rows(width, height, &rows).expect("small");
        // The same runs, some of them cut in two by an empty one.
        let mut cut_up = Vec::new();
        for (count, cut) in mask.counts().iter().zip(cuts.iter().cycle()) {
            let first = if *cut { count / 2 } else { *count };
            cut_up.push(first);
            if *cut {
                cut_up.extend([0, count - first]);
            }
        }
        prop_assert!(Mask::from_counts(width, height, cut_up).expect("covers the frame") == mask);
        let text = mask.to_compressed();
        prop_assert_eq!(Mask::from_compressed(width, height, &text).expect("our own"), mask);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[0-p]{0,40}") {
        drop(Mask::from_compressed(8, 6, &text));
    }
}
