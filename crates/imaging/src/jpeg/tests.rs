use proptest::prelude::*;

use super::markers::Frame;
use super::*;

/// A segment with its length field.
fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).expect("a short segment");
    [&[0xff, marker], &length.to_be_bytes()[..], content].concat()
}

/// An 8-bit baseline frame of 16x8 pixels, one component.
fn frame() -> Vec<u8> {
    segment(0xc0, &[8, 0, 8, 0, 16, 1, 1, 0x11, 0])
}

fn scan() -> Vec<u8> {
    [segment(0xda, &[1, 1, 0, 0, 63, 0]), b"coded \xff\0 data \xff\xd0 more".to_vec()].concat()
}

fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    [&[0xff, 0xd8][..], &segments.concat(), &[0xff, 0xd9]].concat()
}

fn walked(data: &[u8]) -> Result<Markers<'_>, ImageError> {
    Markers::scan(data, &Limits::default())
}

#[test]
fn frame_scans_and_metadata_are_found() {
    let data = jpeg(&[
        segment(0xe0, b"JFIF\0\x07\x01\0\0\x01\0\x01\0\0"),
        segment(0xe1, b"Exif\0\0first"),
        segment(0xe1, b"Exif\0\0second"),
        // Chunks may come in any order.
        segment(0xe2, b"ICC_PROFILE\0\x02\x02file"),
        segment(0xe2, b"ICC_PROFILE\0\x01\x02pro"),
        frame(),
        scan(),
        scan(),
    ]);
    let with_tail = [&data[..], b"\xff\xd8 another picture"].concat();
    let markers = walked(&with_tail).expect("sound");
    assert_eq!((markers.frame.width, markers.frame.height, markers.scans), (16, 8, 2));
    assert_eq!(markers.exif, Some(&b"first"[..]));
    assert_eq!(markers.icc.as_deref(), Some(&b"profile"[..]));

    let plain_jfif = segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    assert_eq!(markers.cleaned(&with_tail), jpeg(&[plain_jfif, frame(), scan(), scan()]));
}

#[test]
fn rubbish_between_segments_is_passed_over() {
    let data = jpeg(&[b"\0rub\xff\0bish\xff".to_vec(), frame(), b"\xff\xff".to_vec(), scan()]);
    assert_eq!(walked(&data).expect("sound").cleaned(&data), jpeg(&[frame(), scan()]));
}

#[test]
fn an_unknown_adobe_transform_becomes_the_one_it_is_taken_for() {
    let adobe = |transform: u8| segment(0xee, &[b"Adobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat());
    for (written, cleaned) in [(0, 0), (1, 1), (2, 2), (77, 1)] {
        let data = jpeg(&[adobe(written), frame(), scan()]);
        let markers = walked(&data).expect("sound");
        assert_eq!(markers.cleaned(&data), jpeg(&[adobe(cleaned), frame(), scan()]));
    }
}

#[test]
fn incomplete_profiles_count_as_none() {
    for chunks in [&[(1, 2)][..], &[(1, 1), (1, 1)], &[(0, 1)], &[(1, 2), (2, 3)], &[]] {
        let chunks = chunks.iter().map(|(number, total)| {
            segment(0xe2, &[b"ICC_PROFILE\0".as_slice(), &[*number, *total]].concat())
        });
        let data = jpeg(&chunks.chain([frame(), scan()]).collect::<Vec<_>>());
        assert_eq!(walked(&data).expect("sound").icc, None);
    }
}

#[test]
fn contradictions_are_corrupt_and_unread_kinds_unsupported() {
    let corrupt = [
        jpeg(&[frame()]),
        jpeg(&[scan()]),
        jpeg(&[frame(), frame(), scan()]),
        jpeg(&[vec![0xff, 0xfe, 0, 1], frame(), scan()]),
        jpeg(&[segment(0xc0, &[8, 0, 8, 0, 16, 3, 1, 0x11, 0]), scan()]),
        jpeg(&[segment(0xc0, &[8, 0, 8, 0, 16, 1, 1, 0x51, 0]), scan()]),
    ];
    for data in corrupt {
        assert!(matches!(walked(&data), Err(ImageError::Corrupt(_))), "{data:?}");
    }
    let unsupported = [
        jpeg(&[segment(0xc1, &[12, 0, 8, 0, 16, 1, 1, 0x11, 0]), scan()]),
        jpeg(&[segment(0xc5, &[8, 0, 8, 0, 16, 1, 1, 0x11, 0]), scan()]),
        jpeg(&[segment(0xc0, &[8, 0, 0, 0, 16, 1, 1, 0x11, 0]), scan()]),
    ];
    for data in unsupported {
        assert!(matches!(walked(&data), Err(ImageError::Unsupported(_))), "{data:?}");
    }
}

#[test]
fn every_beginning_of_a_file_is_truncated() {
    let data = jpeg(&[segment(0xe1, b"Exif\0\0x"), frame(), scan()]);
    for length in 2..data.len() {
        assert!(matches!(walked(&data[..length]), Err(ImageError::Truncated(_))), "{length}");
    }
}

#[test]
fn coefficients_are_counted_by_whole_blocks_of_every_component() {
    // 17x17 at 4:2:0 is 2x2 units of 16x16: 4·(4 + 1 + 1) blocks of 64 two-byte coefficients, and
    // ten bytes of notes on each.
    let components = vec![(2, 2), (1, 1), (1, 1)];
    let frame = Frame { width: 17, height: 17, progressive: true, lossless: false, components };
    assert_eq!(frame.coefficient_bytes(), 4 * 6 * (64 * 2 + 10));
}

#[test]
fn only_padding_before_the_end_mark_is_forgiven() {
    let message = "TurboJPEG error: Corrupt JPEG data: 3 extraneous bytes before marker 0xd9";
    assert!(is_only_padding(message, b"..coded\0\0\xff\xff\xd9"));
    assert!(!is_only_padding(message, b"..coded\0a\0\xff\xd9"));
    assert!(!is_only_padding(message, b"\0\xff\xd9"), "more than there is");
    assert!(!is_only_padding(&message.replace("d9", "c4"), b"..coded\0\0\0\xff\xd9"));
    assert!(!is_only_padding("TurboJPEG error: Corrupt JPEG data: bad Huffman code", b"\0\0\0\xff\xd9"));
}

proptest! {
    #[test]
    fn the_walk_ends_on_any_bytes_and_finds_only_what_is_there(
        data in prop::collection::vec(prop_oneof![Just(0xffu8), Just(0u8), Just(0xda), Just(0xc0), any::<u8>()], 0..600),
    ) {
        let data = [b"\xff\xd8\xff".as_slice(), &data].concat();
        if let Ok(markers) = walked(&data) {
            prop_assert!(markers.cleaned(&data).len() <= data.len() + 64);
        }
    }

    #[test]
    fn the_walk_ends_on_any_sequence_of_segments(
        parts in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..20),
    ) {
        let segments: Vec<_> = parts.iter().map(|(marker, content)| segment(*marker, content)).collect();
        let data = jpeg(&[segments.concat(), frame(), scan()]);
        if let Ok(markers) = walked(&data) {
            prop_assert!(markers.scans >= 1 && markers.frame.height >= 1);
        }
    }
}
