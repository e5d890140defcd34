//! EXIF: the orientation, and a few facts for people.

use exif::{Context, In, Reader, Tag, Value};
use serde_json::{Map, Value as Json, json};
use types::Orientation;

/// What is kept of a file's EXIF. Broken EXIF yields as much as can be read of it, at worst nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exif {
    pub(crate) orientation: Orientation,
    /// A TIFF file's colours are already multiplied by their alpha (TIFF 6.0, ExtraSamples 1).
    pub(crate) premultiplied: bool,
    facts: Map<String, Json>,
}

/// Texts longer than this are cut.
const MAX_CHARS: usize = 256;

const EXTRA_SAMPLES: Tag = Tag(Context::Tiff, 338);

/// The facts that are kept under their standard names; a closed list, so their size is bounded.
const KEPT: &[Tag] = &[
    Tag::Make,
    Tag::Model,
    Tag::LensMake,
    Tag::LensModel,
    Tag::Software,
    Tag::Artist,
    Tag::Copyright,
    Tag::ImageDescription,
    Tag::DateTime,
    Tag::DateTimeOriginal,
    Tag::DateTimeDigitized,
    Tag::OffsetTimeOriginal,
    Tag::SubSecTimeOriginal,
    Tag::ExposureTime,
    Tag::FNumber,
    Tag::PhotographicSensitivity,
    Tag::ExposureBiasValue,
    Tag::FocalLength,
    Tag::FocalLengthIn35mmFilm,
    Tag::Flash,
    Tag::WhiteBalance,
    Tag::MeteringMode,
    Tag::ColorSpace,
    Tag::GPSDateStamp,
    Tag::GPSImgDirection,
];

impl Exif {
    /// Reads raw EXIF (a TIFF structure, without the `Exif\0\0` prefix) or a whole TIFF file.
    pub(crate) fn read(raw: &[u8]) -> Self {
        let parsed = Reader::new()
            .continue_on_error(true)
            .read_raw(raw.to_vec())
            .or_else(|error| error.distill_partial_result(|_| ()));
        let Ok(parsed) = parsed else { return Self::default() };

        let orientation = parsed
            .get_field(Tag::Orientation, In::PRIMARY)
            .and_then(|field| field.value.get_uint(0))
            .and_then(|value| u16::try_from(value).ok())
            .map(Orientation::from)
            .unwrap_or_default();
        let premultiplied = parsed
            .get_field(EXTRA_SAMPLES, In::PRIMARY)
            .is_some_and(|field| field.value.get_uint(0) == Some(1));
        let mut facts = Map::new();
        for tag in KEPT {
            let fact = parsed.get_field(*tag, In::PRIMARY).and_then(|field| readable(&field.value));
            if let Some(fact) = fact {
                facts.insert(tag.to_string(), fact);
            }
        }
        for (tag, sign_tag, name) in [
            (Tag::GPSLatitude, Tag::GPSLatitudeRef, "GPSLatitude"),
            (Tag::GPSLongitude, Tag::GPSLongitudeRef, "GPSLongitude"),
            (Tag::GPSAltitude, Tag::GPSAltitudeRef, "GPSAltitude"),
        ] {
            let value = parsed.get_field(tag, In::PRIMARY).and_then(|field| position(&field.value));
            let sign = parsed.get_field(sign_tag, In::PRIMARY).map_or(1.0, |field| sign(&field.value));
            if let Some(value) = value {
                facts.insert(name.to_owned(), json!(value * sign));
            }
        }
        Self { orientation, premultiplied, facts }
    }

    /// The facts as a JSON object, by their standard names; positions are signed decimal degrees and metres.
    pub(crate) fn into_facts(self) -> Json {
        Json::Object(self.facts)
    }
}

/// One text or one number; anything else is not readable by itself.
fn readable(value: &Value) -> Option<Json> {
    match value {
        Value::Ascii(texts) => {
            let text = String::from_utf8_lossy(texts.first()?);
            let text: String =
                text.trim_matches(['\0', ' ']).chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect();
            (!text.is_empty()).then(|| json!(text))
        }
        Value::Rational(values) => number(values.first()?.to_f64()),
        Value::SRational(values) => number(values.first()?.to_f64()),
        _ => value.get_uint(0).map(|number| json!(number)),
    }
}

/// JSON has no infinities: `1/0` is no fact.
fn number(value: f64) -> Option<Json> {
    value.is_finite().then(|| json!(value))
}

/// Degrees, minutes and seconds, or a single number of metres.
fn position(value: &Value) -> Option<f64> {
    let Value::Rational(parts) = value else { return None };
    let sum = parts.iter().take(3).zip([1.0, 60.0, 3600.0]).map(|(part, unit)| part.to_f64() / unit).sum();
    (!parts.is_empty() && f64::is_finite(sum)).then_some(sum)
}

/// -1 for south, west and below sea level.
fn sign(reference: &Value) -> f64 {
    let negative = match reference {
        Value::Ascii(texts) => {
            texts.first().and_then(|text| text.first()).is_some_and(|c| b"SWsw".contains(c))
        }
        other => other.get_uint(0) == Some(1),
    };
    if negative { -1.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A little-endian TIFF structure with one IFD of (tag, type, count, value or offset) and `rest` behind it.
    fn tiff(entries: &[(u16, u16, u32, [u8; 4])], rest: &[u8]) -> Vec<u8> {
        let mut raw = b"II*\0\x08\0\0\0".to_vec();
        raw.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in entries {
            raw.extend(tag.to_le_bytes());
            raw.extend(kind.to_le_bytes());
            raw.extend(count.to_le_bytes());
            raw.extend(value);
        }
        raw.extend([0; 4]);
        raw.extend(rest);
        raw
    }

    #[test]
    fn orientation_and_make_are_read() {
        let raw = tiff(&[(0x010f, 2, 4, *b"Ace\0"), (0x0112, 3, 1, [6, 0, 0, 0])], b"");
        let exif = Exif::read(&raw);
        assert_eq!(exif.orientation, Orientation::Rotate90);
        assert_eq!(exif.into_facts(), json!({ "Make": "Ace" }));
    }

    #[test]
    fn values_that_are_no_orientation_mean_upright() {
        for value in [0u16, 9, 65_535] {
            let [low, high] = value.to_le_bytes();
            let raw = tiff(&[(0x0112, 3, 1, [low, high, 0, 0])], b"");
            assert_eq!(Exif::read(&raw).orientation, Orientation::Upright);
        }
    }

    #[test]
    fn what_is_readable_of_broken_exif_is_kept() {
        // The Make points far outside; the orientation before it is sound.
        let raw = tiff(&[(0x0112, 3, 1, [3, 0, 0, 0]), (0x010f, 2, 400, [255, 255, 0, 0])], b"");
        assert_eq!(Exif::read(&raw).orientation, Orientation::Rotate180);
        assert_eq!(Exif::read(b"rubbish").into_facts(), json!({}));
    }

    #[test]
    fn positions_are_signed_degrees() {
        let degrees = [52u32, 1, 30, 1, 36, 1].map(u32::to_le_bytes).concat();
        // One pointer to a GPS IFD at 26 (8 + 2 + 12 + 4): latitude reference, then latitude at 56.
        let mut gps = 2u16.to_le_bytes().to_vec();
        for (tag, kind, count, value) in [(1u16, 2u16, 2u32, *b"S\0\0\0"), (2, 5, 3, [56, 0, 0, 0])] {
            gps.extend(tag.to_le_bytes());
            gps.extend(kind.to_le_bytes());
            gps.extend(count.to_le_bytes());
            gps.extend(value);
        }
        gps.extend([0; 4]);
        gps.extend(&degrees);
        let exif = Exif::read(&tiff(&[(0x8825, 4, 1, [26, 0, 0, 0])], &gps));
        // 52° 30' 36" = 52 + 30/60 + 36/3600 = 52.51, south.
        assert_eq!(exif.into_facts(), json!({ "GPSLatitude": -52.51 }));
    }
}
