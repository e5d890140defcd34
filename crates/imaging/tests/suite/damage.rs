//! Damaged and hostile files: each is refused, none gets a panic out.

use imaging::{Limits, inspect, normalize, probe};
use proptest::prelude::*;
use types::{NormalizationPolicy, RejectCode};

use crate::samples::{deflated, ihdr, jpeg, one_of_each, picture, png_of_chunks};

fn code(data: &[u8]) -> Option<RejectCode> {
    inspect(data, &Limits::default()).err().map(|error| error.reason().code)
}

#[test]
fn sound_files_of_every_format_are_read() {
    for (name, data) in one_of_each() {
        let facts = inspect(&data, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((facts.width, facts.height, facts.animated), (120, 90, false), "{name}");
        assert!(name.contains(facts.format.as_str()), "{name}: {}", facts.format);
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for (name, data) in one_of_each() {
        let accepted: Vec<_> = (1..=99)
            .map(|percent| data.len() * percent / 100)
            .chain([1, 2, 3, 11, 12, 30, data.len() - 1])
            .filter(|length| code(&data[..*length]).is_none())
            // The last byte of a GIF is its trailer, without which the picture still is whole.
            .filter(|length| !(name == "gif" && *length == data.len() - 1))
            .collect();
        assert_eq!(accepted, [0; 0], "{name} of {} bytes", data.len());
    }
}

#[test]
fn a_large_jpeg_cut_at_every_percent_is_truncated() {
    for progressive in [false, true] {
        let data = jpeg(&picture(640, 480), progressive);
        for percent in 1..=99 {
            let cut = &data[..data.len() * percent / 100];
            assert_eq!(code(cut), Some(RejectCode::Truncated), "progressive {progressive}, {percent} %");
            let normalized = normalize(cut, &NormalizationPolicy::default(), &Limits::default());
            assert!(normalized.is_err(), "progressive {progressive}, {percent} %");
        }
    }
}

#[test]
fn a_jpeg_whose_middle_is_missing_is_refused_although_it_has_an_end() {
    let data = jpeg(&picture(320, 240), false);
    let (head, tail) = (&data[..data.len() / 2], &data[data.len() - 2..]);
    assert!(matches!(code(&[head, tail].concat()), Some(RejectCode::Truncated | RejectCode::Corrupt)));
}

#[test]
fn a_jpeg_that_lacks_only_its_end_mark_is_truncated_and_padding_before_it_is_let_pass() {
    let data = jpeg(&picture(320, 240), false);
    let (body, end) = data.split_at(data.len() - 2);
    assert_eq!(code(body), Some(RejectCode::Truncated));
    assert_eq!(code(&[body, &[0; 300], end].concat()), None);
    assert_eq!(code(&[body, &[0xff; 30], end].concat()), None);
    assert_eq!(code(&[body, &[7; 300], end].concat()), Some(RejectCode::Corrupt));
}

#[test]
fn flipped_bytes_in_coded_data_of_checksummed_formats_are_refused() {
    let (_, png) = one_of_each().swap_remove(2);
    let middle = png.len() / 2;
    let mut flipped = png;
    flipped[middle] ^= 0x55;
    assert_eq!(code(&flipped), Some(RejectCode::Corrupt));
}

#[test]
fn no_image_and_unread_images_have_their_own_codes() {
    assert_eq!(code(b""), Some(RejectCode::Empty));
    assert_eq!(code(b"%PDF-1.4"), Some(RejectCode::UnsupportedFormat));
    assert_eq!(code(b"plain text"), Some(RejectCode::NotAnImage));
    assert_eq!(code(b"\xff\xd8\xff"), Some(RejectCode::Truncated));
    assert_eq!(code(b"\x89PNG\r\n\x1a\n"), Some(RejectCode::Truncated));
}

#[test]
fn broken_metadata_does_not_fail_the_picture() {
    let rows = deflated(&[0, 9, 9, 9]);
    let clean = png_of_chunks(&[(b"IHDR", &ihdr(1, 1, 8, 2)), (b"IDAT", &rows), (b"IEND", b"")]);
    let odd = png_of_chunks(&[
        (b"IHDR", &ihdr(1, 1, 8, 2)),
        (b"iCCP", b"no end of name"),
        (b"eXIf", b"MM\0*\xff\xff\xff\xff"),
        (b"zTXt", b"Comment\0\0not zlib"),
        (b"IDAT", &rows),
        (b"IEND", b""),
    ]);
    let (clean, odd) = (inspect(&clean, &Limits::default()), inspect(&odd, &Limits::default()));
    assert_eq!(clean.expect("sound").pixel_hash, odd.expect("as sound").pixel_hash);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn overwritten_bytes_never_let_a_panic_out(
        which in 0..8usize, places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (_, mut data) = one_of_each().swap_remove(which);
        for (index, byte) in places {
            let place = index.index(data.len());
            data[place] = byte;
        }
        // A changed size may be large: keep the test quick, and the limits busy.
        let limits = Limits { max_pixels: 1 << 20, max_decoded_bytes: 16 << 20, ..Limits::default() };
        if let Err(error) = inspect(&data, &limits) {
            prop_assert!(!error.reason().code.as_str().is_empty());
        }
    }

    #[test]
    fn arbitrary_bytes_after_a_signature_are_refused(tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let heads: [&[u8]; 6] =
            [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x40\0\0\0WEBP", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"];
        for head in heads {
            let data = [head, &tail].concat();
            let limits = Limits { max_pixels: 1 << 20, max_decoded_bytes: 16 << 20, ..Limits::default() };
            let probed = probe(&data, &limits);
            let inspected = inspect(&data, &limits);
            prop_assert!(probed.is_ok() || inspected.is_err(), "inspected what could not be probed");
        }
    }
}
