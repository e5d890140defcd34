use exif::{In, Reader, Tag, Value};

use super::*;

fn read(noted: Exif) -> exif::Exif {
    let segment = noted.to_segment();
    let tiff = segment.strip_prefix(HEADER).expect("the header of Exif 2.32, 4.7.2").to_vec();
    Reader::new().read_raw(tiff).expect("a valid TIFF structure")
}

#[test]
fn a_reader_finds_every_field_in_both_byte_orders() {
    for big_endian in [false, true] {
        let place = Some([[49, 42, 28], [0, 12, 14]]);
        let read = read(Exif { orientation: 6, taken: "2024:06:01 09:30:00", big_endian, place });
        let text = |tag| read.get_field(tag, In::PRIMARY).map(|field| field.display_value().to_string());
        assert_eq!(read.little_endian(), !big_endian);
        assert_eq!(text(Tag::Make).as_deref(), Some("\"ImageML\""));
        assert_eq!(text(Tag::Model).as_deref(), Some("\"Sample Camera 1\""));
        assert_eq!(text(Tag::DateTime).as_deref(), Some("2024-06-01 09:30:00"));
        assert_eq!(text(Tag::DateTimeOriginal).as_deref(), Some("2024-06-01 09:30:00"));
        assert_eq!(text(Tag::ExifVersion).as_deref(), Some("2.32"));
        assert_eq!(text(Tag::GPSLatitude).as_deref(), Some("49 deg 42 min 28 sec"));
        assert_eq!(text(Tag::GPSLatitudeRef).as_deref(), Some("N"));
        assert_eq!(text(Tag::GPSLongitude).as_deref(), Some("0 deg 12 min 14 sec"));
        let orientation = read.get_field(Tag::Orientation, In::PRIMARY).expect("an orientation");
        assert!(matches!(&orientation.value, Value::Short(values) if *values == [6]));
    }
}

#[test]
fn no_place_means_no_gps_fields() {
    let read = read(Exif { orientation: 1, taken: "2024:06:01 09:30:00", big_endian: false, place: None });
    assert!(read.fields().all(|field| field.tag.context() != exif::Context::Gps));
}
