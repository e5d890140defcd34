//! Where ink is, and where none is. Places and colours are worked out by hand.

use annotations::{
    Bounds, CategoryDefinition, Keypoint, Mask, Point, Polygon, Region, Registry, Shape, Visibility,
    WantedCategory,
};
use tiny_skia::{Color, Pixmap};

use crate::palette::Palette;
use crate::{Layout, MAX_PIXELS, Sheet, SheetError, Tile};

const GRAY: [u8; 3] = [128, 128, 128];
/// Category 1: hue 137.5 degrees; Python's `colorsys.hls_to_rgb(137.5/360, 0.55, 0.9)`.
const GREEN: [u8; 3] = [37, 244, 97];
/// A picture of 200 by 100 pixels in a cell of 100: half as large, 25 pixels from the top.
const SIDE: u32 = 100;

fn picture() -> Vec<u8> {
    let mut picture = Pixmap::new(200, 100).expect("a small picture");
    picture.fill(Color::from_rgba8(128, 128, 128, 255));
    picture.encode_png().expect("a small picture")
}

fn categories() -> Registry {
    let skeleton = CategoryDefinition {
        keypoints: vec!["a".to_owned(), "b".to_owned()],
        skeleton: vec![[1, 2]],
        ..CategoryDefinition::named("person")
    };
    let mut registry = Registry::default();
    registry.admit(&[WantedCategory { id: Some(1), definition: skeleton }]);
    registry
}

fn at(x: f64, y: f64) -> Point {
    Point { x, y }
}

fn paint(region: &Region) -> Pixmap {
    let tile = Tile { picture: &picture(), regions: std::slice::from_ref(region), caption: ["", ""] };
    tile.paint(SIDE, &Palette::new(&categories())).expect("a picture that can be read")
}

fn colour(cell: &Pixmap, (x, y): (u32, u32)) -> [u8; 3] {
    let pixel = cell.pixel(x, y).expect("inside");
    [pixel.red(), pixel.green(), pixel.blue()]
}

/// Asserts full colour, the picture itself, and a tint at some places of the cell.
#[track_caller]
fn assert_ink(shape: Shape, lines: &[(u32, u32)], empty: &[(u32, u32)], tinted: &[(u32, u32)]) {
    let kind = shape.kind();
    let cell = paint(&Region::new("1", "person", shape));
    for place in lines {
        let found = colour(&cell, *place);
        let near = found.iter().zip(GREEN).all(|(found, wanted)| found.abs_diff(wanted) < 40);
        assert!(near, "{kind} at {place:?}: {found:?} is not the line's colour");
    }
    for place in empty {
        assert_eq!(colour(&cell, *place), GRAY, "{kind} at {place:?}");
    }
    for place in tinted {
        let [red, green, blue] = colour(&cell, *place);
        assert!(red < 125 && green > 140 && blue < 128, "{kind} at {place:?}: {:?}", [red, green, blue]);
    }
}

#[test]
fn every_shape_is_where_the_picture_shows_it() {
    // 40..120 and 20..80 of the picture: 20..60 and 35..65 of the cell.
    let bounds = Bounds { x: 40.0, y: 20.0, width: 80.0, height: 60.0 };
    assert_ink(
        Shape::Box(bounds),
        &[(20, 60), (59, 55), (40, 64)],
        &[(10, 50), (70, 50), (80, 30), (40, 71)],
        &[(40, 58)],
    );
    // A square of 40 pixels about its top-left corner, by 45 degrees: a diamond below (100, 10).
    let diamond = Shape::RotatedBox { x: 100.0, y: 10.0, width: 40.0, height: 40.0, rotation: 45.0 };
    assert_ink(diamond, &[(50, 58)], &[(30, 55), (66, 35), (34, 60), (66, 60)], &[(52, 50)]);
    // Around (100, 50): 40 to each side, 20 up and down.
    let ellipse = Shape::Ellipse { center: at(100.0, 50.0), radius_x: 40.0, radius_y: 20.0, rotation: 0.0 };
    assert_ink(
        ellipse,
        &[(30, 50), (69, 50), (50, 59)],
        &[(25, 50), (34, 59), (68, 40), (50, 65)],
        &[(50, 52)],
    );
    assert_ink(Shape::Point { at: at(100.0, 50.0), size: None }, &[(50, 50)], &[(42, 50), (50, 58)], &[]);
}

#[test]
fn holes_are_not_filled_and_open_lines_stay_open() {
    let ring = |from: f64, to: f64| vec![at(from, from), at(to, from), at(to, to), at(from, to)];
    let with_hole = Polygon { exterior: ring(10.0, 90.0), holes: vec![ring(30.0, 70.0)] };
    let closed = Shape::Polygon { polygons: vec![with_hole], closed: true };
    assert_ink(closed, &[(5, 66), (44, 60), (15, 55)], &[(25, 50), (60, 50)], &[(10, 55), (40, 60)]);
    let line =
        Polygon { exterior: vec![at(20.0, 80.0), at(180.0, 80.0), at(180.0, 10.0)], holes: Vec::new() };
    let open = Shape::Polygon { polygons: vec![line], closed: false };
    assert_ink(open, &[(50, 65), (90, 50)], &[(50, 50), (70, 60), (40, 45)], &[]);
}

#[test]
fn masks_are_tinted_and_have_an_edge() {
    let mask = Mask::from_fn(200, 100, |x, y| (40..120).contains(&x) && (20..80).contains(&y));
    assert_ink(
        Shape::Mask(mask.expect("small")),
        &[(20, 60), (59, 60), (40, 64)],
        &[(19, 60), (60, 60), (40, 65), (80, 30)],
        &[(40, 60)],
    );
    // One pixel of the picture is less than one of the cell: its box is drawn instead.
    let speck = Mask::from_fn(200, 100, |x, y| (x, y) == (101, 51)).expect("small");
    let cell = paint(&Region::new("1", "person", Shape::Mask(speck)));
    assert_ne!(colour(&cell, (50, 50)), GRAY);
}

#[test]
fn joints_are_connected_and_absent_ones_are_not_there() {
    let joint = |x, visibility| Keypoint { at: at(x, 70.0), visibility };
    let region = |second| Region {
        keypoints: vec![joint(40.0, Visibility::Visible), joint(160.0, second)],
        ..Region::new("1", "person", Shape::Box(Bounds { x: 20.0, y: 10.0, width: 160.0, height: 85.0 }))
    };
    let connected = paint(&region(Visibility::Hidden));
    let alone = paint(&region(Visibility::Absent));
    for (x, both) in [(20, true), (50, false), (80, false)] {
        let (with, without) = (colour(&connected, (x, 60)), colour(&alone, (x, 60)));
        assert_eq!(with == without, both, "{x}: {with:?} {without:?}");
    }
}

#[test]
fn bars_and_captions_are_outside_of_the_picture() -> Result<(), SheetError> {
    let (categories, picture) = (categories(), picture());
    let layout = Layout { cells: 3, columns: 2, side: SIDE };
    let mut sheet = Sheet::new("title", &[("person", "person 1".to_owned())], &categories, layout)?;
    let tile =
        Tile { picture: &picture, regions: &[], caption: ["a very long name of a file.jpg", "nothing"] };
    for _ in 0..3 {
        sheet.add(&tile)?;
    }
    let page = Pixmap::decode_png(&sheet.to_png()?).expect("PNG");
    // Two cells with margins of 12; title, legend, and two rows.
    assert_eq!((page.width(), page.height()), (12 + 2 * 112, (24 + 20 + 20) + 2 * (100 + 40 + 12) + 12));
    let (first, second_row) = ((12, 64), (12, 64 + 152));
    for (x, y) in [first, second_row] {
        assert_eq!(colour(&page, (x + 50, y + 10)), [32, 32, 36], "above the picture");
        assert_eq!(colour(&page, (x + 50, y + 50)), GRAY);
        let caption: Vec<_> = (0..100).map(|column| colour(&page, (x + column, y + 100 + 12))).collect();
        assert!(caption.iter().any(|colour| colour[0] < 100), "no caption");
    }
    assert_eq!(colour(&page, (12 + 112 + 50, 64 + 152 + 50)), [250, 250, 248], "a place that nobody took");
    Ok(())
}

#[test]
fn what_cannot_be_drawn_is_an_error() {
    let (categories, layout) = (categories(), Layout { cells: 10_000, columns: 100, side: 1_000 });
    let refused = Sheet::new("", &[], &categories, layout).expect_err("too large");
    assert!(matches!(refused, SheetError::Size { width, height } if width * height > MAX_PIXELS));
    let mut sheet = Sheet::new("", &[], &categories, Layout { cells: 1, ..layout }).expect("one cell");
    let broken = Tile { picture: b"no picture", regions: &[], caption: ["", ""] };
    assert!(matches!(sheet.add(&broken), Err(SheetError::Picture(_))));
}
