//! The list of samples: name, what it shows, and how it is made.

use crate::encode::Format;
use crate::exif::Exif;
use crate::light::{CLEAR, DUSK, GOLDEN, Light, MIST, NIGHT, NOON};
use crate::scene::{Draw, Shot, close, coast, country, hills, town};

/// How one file comes to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) content: Content,
}

/// Where a file's bytes come from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    Scene(Shot, Format),
    /// The bytes of another entry.
    CopyOf(&'static str),
    /// Another entry's scene, as JPEG of this quality.
    AgainOf(&'static str, u8),
    /// The first 60 % of another entry's bytes.
    PartOf(&'static str),
    Text,
    Empty,
    Svg,
}

/// All samples, in the order of their numbers.
pub(crate) fn catalogue() -> Vec<Entry> {
    [orientation(), beach(), town(), country_side(), formats(), duplicates(), broken()].concat()
}

fn scene(draw: Draw, light: &'static Light, size: (u32, u32), seed: u64) -> Shot {
    Shot { draw, light, size, seed, sign: None }
}

fn photo(name: &'static str, about: &'static str, shot: Shot) -> Entry {
    Entry { name, about, content: Content::Scene(shot, Format::Jpeg(86)) }
}

fn orientation() -> Vec<Entry> {
    let plain = Exif { orientation: 1, taken: "2024:06:01 09:30:00", big_endian: false, place: None };
    // 49° 42' 28" N, 0° 12' 14" E: the coast of Normandy.
    let placed = Exif { place: Some([[49, 42, 28], [0, 12, 14]]), ..plain };
    let other_order = Exif { big_endian: true, ..plain };
    let turned = |number: u16, exif: Exif, (name, about, sign): (_, _, _), shot: Shot| Entry {
        name,
        about,
        content: Content::Scene(
            Shot { sign: Some(sign), ..shot },
            Format::TurnedJpeg(Exif { orientation: number, ..exif }),
        ),
    };
    vec![
        turned(
            1,
            placed,
            ("orientation/1 lighthouse.jpg", "EXIF orientation 1, with a GPS position", "EXIF 1"),
            scene(coast::lighthouse, &NOON, (1600, 1200), 11),
        ),
        turned(
            2,
            plain,
            ("orientation/2 barn.jpg", "EXIF orientation 2: stored mirrored", "EXIF 2"),
            scene(country::barn, &CLEAR, (1440, 960), 12),
        ),
        turned(
            3,
            other_order,
            ("orientation/3 church.jpg", "EXIF orientation 3: stored upside down", "EXIF 3"),
            scene(town::church, &NOON, (1600, 1200), 13),
        ),
        turned(
            4,
            plain,
            ("orientation/4 windmill.jpg", "EXIF orientation 4: stored upside down and mirrored", "EXIF 4"),
            scene(country::windmill, &GOLDEN, (1500, 1000), 14),
        ),
        turned(
            5,
            plain,
            ("orientation/5 palm.jpg", "EXIF orientation 5: stored on its side and mirrored", "EXIF 5"),
            scene(coast::beach, &CLEAR, (960, 1280), 15),
        ),
        turned(
            6,
            other_order,
            (
                "orientation/6 balloons.jpg",
                "EXIF orientation 6: a phone held upright, 5 megapixels",
                "EXIF 6",
            ),
            scene(country::balloons, &CLEAR, (1944, 2592), 16),
        ),
        turned(
            7,
            plain,
            (
                "orientation/7 street.jpg",
                "EXIF orientation 7: stored on its other side and mirrored",
                "EXIF 7",
            ),
            scene(town::street, &NOON, (900, 1200), 17),
        ),
        turned(
            8,
            plain,
            ("orientation/8 summit.jpg", "EXIF orientation 8: a phone held upside down", "EXIF 8"),
            scene(hills::summit, &CLEAR, (1200, 1600), 18),
        ),
    ]
}

fn beach() -> Vec<Entry> {
    vec![
        photo(
            "beach/Sunday at the beach.jpg",
            "a name with spaces",
            scene(coast::beach, &GOLDEN, (1280, 853), 21),
        ),
        photo("beach/sail + sun.jpg", "a name with a plus sign", scene(coast::sails, &NOON, (1400, 933), 22)),
        photo("beach/Étretat.jpg", "a name with an accent", scene(coast::arch, &CLEAR, (1600, 1067), 23)),
        photo("beach/evening sail.jpg", "a portrait", scene(coast::sails, &DUSK, (853, 1280), 24)),
        photo(
            "beach/lighthouse in mist.jpg",
            "little contrast",
            scene(coast::lighthouse, &MIST, (800, 1200), 25),
        ),
    ]
}

fn town() -> Vec<Entry> {
    vec![
        photo("town/old town.jpg", "a landscape", scene(town::street, &GOLDEN, (1400, 933), 31)),
        photo("town/Zürich bei Nacht.jpg", "a dark picture", scene(town::skyline, &NIGHT, (1600, 900), 32)),
        photo("town/skyline.jpg", "a portrait", scene(town::skyline, &DUSK, (900, 1200), 33)),
        photo("town/bridge.jpg", "a panorama", scene(town::bridge, &MIST, (1920, 822), 34)),
        photo("town/教会.jpg", "a name in Japanese", scene(town::church, &NIGHT, (1000, 1000), 35)),
        photo(
            "town/coffee & cake.jpg",
            "a name with an ampersand",
            scene(close::cup, &NOON, (1200, 900), 36),
        ),
    ]
}

fn country_side() -> Vec<Entry> {
    vec![
        photo(
            "country/blue ranges.jpg",
            "smooth gradients, 2,600 pixels wide",
            scene(hills::ranges, &GOLDEN, (2600, 1733), 41),
        ),
        photo("country/road.jpg", "a landscape", scene(country::road, &NOON, (1280, 853), 42)),
        photo(
            "country/dunes #2.jpg",
            "a name with a hash sign",
            scene(hills::dunes, &GOLDEN, (1350, 900), 43),
        ),
        photo(
            "country/Winter/cabin.jpg",
            "a folder in a folder",
            scene(hills::cabin, &CLEAR, (1200, 800), 44),
        ),
        photo("country/Winter/aurora.jpg", "a dark portrait", scene(hills::cabin, &NIGHT, (900, 1350), 45)),
        photo("country/daisy.jpg", "a close-up", scene(close::flower, &CLEAR, (1200, 1200), 46)),
    ]
}

fn formats() -> Vec<Entry> {
    let stored = |name, about, shot, format| Entry { name, about, content: Content::Scene(shot, format) };
    vec![
        stored(
            "formats/gray.jpg",
            "JPEG with one channel",
            scene(country::road, &MIST, (900, 1200), 51),
            Format::GrayJpeg,
        ),
        stored(
            "formats/cmyk.jpg",
            "JPEG with the four inks of print",
            scene(close::fruit, &NOON, (1200, 800), 52),
            Format::CmykJpeg,
        ),
        stored(
            "formats/progressive.jpg",
            "JPEG in several scans",
            scene(close::leaves, &NOON, (1200, 800), 53),
            Format::ProgressiveJpeg,
        ),
        stored(
            "formats/badge.png",
            "PNG with transparency",
            scene(coast::sails, &GOLDEN, (640, 640), 54),
            Format::AlphaPng,
        ),
        stored(
            "formats/deep.png",
            "PNG with 16 bits a channel",
            scene(hills::ranges, &DUSK, (720, 480), 55),
            Format::Png16,
        ),
        stored(
            "formats/palette.png",
            "PNG with a palette",
            scene(country::balloons, &GOLDEN, (800, 600), 56),
            Format::PalettePng,
        ),
        stored(
            "formats/lossless.webp",
            "WebP, lossless",
            scene(town::bridge, &DUSK, (720, 960), 57),
            Format::WebP,
        ),
        stored(
            "formats/day and night.gif",
            "GIF with two frames",
            scene(hills::summit, &NIGHT, (640, 427), 58),
            Format::Gif,
        ),
        stored("formats/plain.bmp", "BMP", scene(close::cup, &GOLDEN, (640, 853), 59), Format::Bmp),
        stored("formats/scan.tiff", "TIFF", scene(hills::dunes, &CLEAR, (600, 800), 60), Format::Tiff),
    ]
}

fn duplicates() -> Vec<Entry> {
    vec![
        Entry {
            name: "duplicates/copy of road.jpg",
            about: "the same bytes under another name",
            content: Content::CopyOf("country/road.jpg"),
        },
        Entry {
            name: "duplicates/old town, sent by mail.jpg",
            about: "the same scene, compressed harder",
            content: Content::AgainOf("town/old town.jpg", 55),
        },
    ]
}

fn broken() -> Vec<Entry> {
    vec![
        Entry {
            name: "broken/cut off.jpg",
            about: "a JPEG whose end is missing",
            content: Content::PartOf("beach/sail + sun.jpg"),
        },
        Entry {
            name: "broken/notes.jpg",
            about: "text with the ending of a picture",
            content: Content::Text,
        },
        Entry { name: "broken/empty.png", about: "an empty file", content: Content::Empty },
        Entry { name: "broken/drawing.svg", about: "a vector drawing", content: Content::Svg },
    ]
}
