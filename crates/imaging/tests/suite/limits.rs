//! Every limit holds, and before memory is spent.

use imaging::{Limits, inspect, probe};
use types::RejectCode;

use crate::samples::{deflated, ihdr, jpeg, one_of_each, picture, png_of_chunks};

fn probed(data: &[u8], limits: &Limits) -> Option<RejectCode> {
    let inspected = inspect(data, limits).err().map(|error| error.reason().code);
    let probed = probe(data, limits).err().map(|error| error.reason().code);
    assert_eq!(inspected, probed, "headers alone tell");
    probed
}

#[test]
fn size_limits_hold_for_every_format() {
    let default = Limits::default();
    for (name, data) in one_of_each() {
        let length = data.len() as u64;
        // Every file is 120x90.
        for (what, limits, refused) in [
            ("bytes", Limits { max_bytes: length - 1, ..default }, true),
            ("bytes", Limits { max_bytes: length, ..default }, false),
            ("pixels", Limits { max_pixels: 120 * 90 - 1, ..default }, true),
            ("pixels", Limits { max_pixels: 120 * 90, ..default }, false),
            ("side", Limits { max_side: 119, ..default }, true),
            ("side", Limits { max_side: 120, ..default }, false),
            ("decoded bytes", Limits { max_decoded_bytes: 120 * 90 * 3 - 1, ..default }, true),
        ] {
            let expected = refused.then_some(RejectCode::LimitExceeded);
            assert_eq!(probed(&data, &limits), expected, "{name}, {what}");
        }
        assert!(probe(&data, &default).expect("sound").decoded_bytes >= 120 * 90 * 3, "{name}");
    }
}

#[test]
fn a_tiny_file_that_announces_a_huge_picture_is_refused_without_decoding() {
    let huge = png_of_chunks(&[(b"IHDR", &ihdr(60_000, 60_000, 16, 6)), (b"IDAT", b"x"), (b"IEND", b"")]);
    assert_eq!(probed(&huge, &Limits::default()), Some(RejectCode::LimitExceeded));
    // 12000x12000 of 16-bit RGBA is more than 100 MP; 9000x9000 is not, but takes 648 MB.
    let wide = png_of_chunks(&[(b"IHDR", &ihdr(9_000, 9_000, 16, 6)), (b"IDAT", b"x"), (b"IEND", b"")]);
    let error = probe(&wide, &Limits::default()).expect_err("too large");
    assert_eq!(error.to_string(), "decoded size in bytes is 648000000, more than the limit of 536870912");
}

#[test]
fn a_progressive_jpeg_costs_its_coefficients_too() {
    let picture = picture(640, 480);
    let estimate = |data: &[u8]| probe(data, &Limits::default()).expect("sound").decoded_bytes;
    let (baseline, progressive) = (estimate(&jpeg(&picture, false)), estimate(&jpeg(&picture, true)));
    // 4:4:4: three components of 640x480 coefficients of two bytes, on top of three bytes a pixel.
    assert!(progressive >= 640 * 480 * (3 + 6), "{progressive}");
    assert!(baseline >= 640 * 480 * 3, "{baseline}");
}

#[test]
fn scans_and_markers_of_a_jpeg_are_counted() {
    let data = jpeg(&picture(64, 64), true);
    // libjpeg's standard progression for YCbCr has 10 scans.
    assert_eq!(probed(&data, &Limits { max_scans: 10, ..Limits::default() }), None);
    let few = Limits { max_scans: 9, ..Limits::default() };
    assert_eq!(probed(&data, &few), Some(RejectCode::LimitExceeded));

    let comment = b"\xff\xfe\0\x02".repeat(10_001);
    let many = [&data[..2], &comment, &data[2..]].concat();
    assert_eq!(probed(&many, &Limits::default()), Some(RejectCode::LimitExceeded));
}

#[test]
fn metadata_of_a_jpeg_is_limited_by_kind() {
    let data = jpeg(&picture(8, 8), false);
    let segment = |marker: u8, head: &[u8]| {
        let mut segment = vec![0xff, marker, 0xea, 0x62]; // 60 002 bytes of content and length
        segment.extend(head);
        segment.resize(60_004, 0);
        segment
    };
    for (marker, head) in [
        (0xe1, &b"Exif\0\0"[..]),
        (0xe1, b"http://ns.adobe.com/xap/1.0/\0"),
        (0xe2, b"ICC_PROFILE\0\x01\x01"),
    ] {
        // 71 of them are more than 4 MiB, 69 are not.
        for (count, expected) in [(69, None), (71, Some(RejectCode::LimitExceeded))] {
            let heavy = [&data[..2], &segment(marker, head).repeat(count), &data[2..]].concat();
            assert_eq!(probed(&heavy, &Limits::default()), expected, "{head:?} x {count}");
        }
    }
}

#[test]
fn a_profile_that_inflates_past_the_limit_is_refused_and_text_is_not_inflated() {
    let bomb = deflated(&vec![0; 64 << 20]);
    let rows = deflated(&[0, 9, 9, 9]);
    let with = |kind: &[u8; 4], head: &[u8]| {
        let content = [head, &bomb[..]].concat();
        let header = ihdr(1, 1, 8, 2);
        png_of_chunks(&[(b"IHDR", &header), (kind, &content), (b"IDAT", &rows), (b"IEND", b"")])
    };
    assert_eq!(probed(&with(b"iCCP", b"name\0\0"), &Limits::default()), Some(RejectCode::LimitExceeded));
    assert_eq!(probed(&with(b"zTXt", b"name\0\0"), &Limits::default()), None);
    assert_eq!(probed(&with(b"iTXt", b"name\0\x01\0\0\0"), &Limits::default()), None);
}

#[test]
fn chunks_of_a_png_are_counted() {
    let (header, rows) = (ihdr(1, 1, 8, 2), deflated(&[0, 9, 9, 9]));
    let mut chunks: Vec<(&[u8; 4], &[u8])> = vec![(b"IHDR", &header)];
    chunks.extend([(b"tEXt", &b"a\0b"[..]); 10_000]);
    chunks.extend([(b"IDAT", &rows[..]), (b"IEND", b"")]);
    assert_eq!(probed(&png_of_chunks(&chunks), &Limits::default()), Some(RejectCode::LimitExceeded));
}
