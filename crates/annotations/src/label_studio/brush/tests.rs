use proptest::prelude::*;

use super::*;

/// Rows of `.` and `#`.
fn mask(rows: &[&str]) -> Mask {
    let set: Vec<_> = rows.iter().flat_map(|row| row.bytes().map(|byte| byte == b'#')).collect();
    Mask::from_rows(rows[0].len() as u32, rows.len() as u32, &set).expect("a picture")
}

/// What `label_studio_sdk.converter.brush.mask2rle` of label-studio-sdk 2.1.2 makes of these masks.
#[test]
fn strokes_are_those_of_the_sdk() {
    let corner = || {
        let mut rows = vec![true; 150 * 150];
        rows[0] = false;
        Mask::from_rows(150, 150, &rows).expect("a picture")
    };
    let wide = [&format!("...######{}", ".".repeat(31)), &format!("{}#", ".".repeat(39))];
    for (mask, rle) in [
        (
            mask(&[".....", ".###.", "....#"]),
            &[0, 0, 0, 60, 57, 27, 254, 23, 0, 183, 255, 132, 192, 35, 255, 0][..],
        ),
        (
            mask(&wide.map(|row| row.as_str())),
            &[0, 0, 1, 64, 57, 27, 253, 176, 12, 47, 255, 192, 69, 192, 35, 255, 0],
        ),
        // Longer than one run can be.
        (corner(), &[0, 1, 95, 144, 57, 27, 252, 96, 31, 255, 255, 255, 175, 197, 255, 128]),
        (mask(&[".#"]), &[0, 0, 0, 8, 57, 27, 252, 96, 17, 255, 128]),
    ] {
        assert_eq!(encode(&mask), rle);
        assert_eq!(decode(rle, mask.width(), mask.height()), Ok(mask));
    }
}

#[test]
fn any_alpha_but_none_is_set_whatever_the_colour() {
    // The SDK's `encode_rle` of [0, 0, 0, 0, 10, 20, 30, 255, 10, 20, 30, 0, 10, 20, 30, 1].
    let rle = [
        0, 0, 0, 16, 57, 27, 252, 96, 0, 5, 0, 40, 0, 240, 31, 224, 5, 0, 40, 0, 240, 0, 0, 5, 0, 40, 0, 240,
        0, 32,
    ];
    assert_eq!(decode(&rle, 2, 2), Ok(mask(&[".#", ".#"])));
}

#[test]
fn what_is_no_stroke_of_the_picture_is_refused() {
    let rle = encode(&mask(&[".....", ".###.", "....#"]));
    assert_eq!(decode(&rle, 5, 4), Err(BrushError::Size { expected: 80, found: 60 }));
    assert_eq!(decode(&[], 5, 3), Err(BrushError::Truncated(0)));
    let (start, _) = rle.split_at(12);
    assert!(matches!(decode(start, 5, 3), Err(BrushError::Truncated(_))));
    // The count says 8 values, the run 256.
    let mut bits = Writer::default();
    for (value, count) in
        [(8, 32), (7, 5), (2, 4), (3, 4), (7, 4), (15, 4), (1, 1), (2, 2), (255, 8), (255, 8)]
    {
        bits.write(value, count);
    }
    assert_eq!(decode(&bits.finish(), 2, 1), Err(BrushError::Overrun(0)));
    assert!(matches!(decode(&rle, u32::MAX, u32::MAX), Err(BrushError::Mask(_))));
}

proptest! {
    #[test]
    fn strokes_are_read_as_they_were_written(
        (width, height, rows) in (1_u32..40, 1_u32..20)
            .prop_flat_map(|(w, h)| (Just(w), Just(h), prop::collection::vec(any::<bool>(), (w * h) as usize)))
    ) {
        let mask = Mask::from_rows(width, height, &rows).expect("small");
        prop_assert_eq!(decode(&encode(&mask), width, height), Ok(mask));
    }

    #[test]
    fn no_bytes_make_it_panic(mut bytes: Vec<u8>) {
        bytes.splice(0..0, [0, 0, 0, 48]);
        drop(decode(&bytes, 4, 3));
    }
}
