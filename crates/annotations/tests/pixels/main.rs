//! Annotations lie on what they were drawn around, in every variant: a white shape on black goes through the real
//! normalization, and its annotation through the geometry, for every orientation, fit mode and shape.

mod drawing;
mod files;

use annotations::{
    Bounds, ClipPolicy, DropReason, Frame, FrameKind, Keypoint, Mask, Origin, Point, Polygon, Provenance,
    Record, RecordId, Region, Shape, Transformed, Visibility, transform,
};
use image::{GrayImage, RgbImage, imageops};
use imaging::{Limits, Rendition, normalize};
use types::{AlphaPolicy, NormalizationPolicy, Orientation, OutputFormat, Rgb};

use crate::drawing::{COLOUR, Extent, TIP, draw, membership};
use crate::files::{Container, encode};

/// Sides that no variant divides evenly.
const SIZE: (u32, u32) = (701, 397);

/// Every fit: inside, letterbox both ways, cropped both ways, stretched both ways.
const SIZES: &str = "360p,400x400,300x333,500x200:crop,200x500:crop,611x203:stretch,203x444:stretch";

/// Pixels that annotation and colour may be apart.
const APART: f64 = 1.0;

/// The shapes, near enough to the right that some crops cut them.
fn shapes() -> Vec<Shape> {
    let ring = |points: &[[f64; 2]]| points.iter().copied().map(Point::from).collect::<Vec<_>>();
    let polygon = Polygon {
        exterior: ring(&[[330., 120.], [440., 90.], [540., 150.], [520., 260.], [400., 290.], [320., 210.]]),
        holes: vec![ring(&[[400., 160.], [470., 170.], [460., 220.], [390., 210.]])],
    };
    let center = Point { x: 430.0, y: 190.0 };
    let cross = |x: u32, y: u32| {
        ((380..470).contains(&x) && (150..180).contains(&y))
            || ((410..440).contains(&x) && (110..250).contains(&y))
    };
    vec![
        Shape::Box(Bounds { x: 351.0, y: 122.0, width: 155.0, height: 97.0 }),
        Shape::RotatedBox { x: 400.0, y: 100.0, width: 150.0, height: 80.0, rotation: 33.0 },
        Shape::Polygon { polygons: vec![polygon], closed: true },
        Shape::Ellipse { center, radius_x: 110.0, radius_y: 55.0, rotation: 25.0 },
        Shape::Mask(Mask::from_fn(SIZE.0, SIZE.1, cross).expect("small")),
    ]
}

fn region(shape: Shape) -> Region {
    Region::new("1", "thing", shape)
}

fn record(kind: FrameKind, region: Region) -> Record {
    Record {
        id: RecordId::of("a"),
        image: "a".to_owned(),
        frame: Some(Frame { width: SIZE.0, height: SIZE.1, kind }),
        origin: Origin::Human { annotator: None },
        provenance: Provenance::Coco { image_id: 1 },
        created_at: None,
        updated_at: None,
        ground_truth: false,
        score: None,
        regions: vec![region],
    }
}

/// Every orientation in every frame that a record may have been drawn in: the file, and the record.
fn cases(picture: &RgbImage, region: &Region) -> Vec<(String, Vec<u8>, Record)> {
    let mut cases = Vec::new();
    for tag in 1..=8_u16 {
        let container = Container::ALL[usize::from(tag) % Container::ALL.len()];
        // Drawn on the upright picture, which the file holds turned.
        let file = encode(&stored(picture, tag), tag, container);
        cases.push((format!("{tag} displayed"), file, record(FrameKind::Displayed, region.clone())));
        // Drawn on the pixels that the file holds, whatever its tag makes of them.
        let file = encode(picture, tag, container);
        cases.push((format!("{tag} stored"), file, record(FrameKind::Stored, region.clone())));
    }
    cases
}

/// An upright picture as it must be stored for a tag: the inverse of what the tag asks for.
fn stored(upright: &RgbImage, tag: u16) -> RgbImage {
    use imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    match tag {
        2 => flip_horizontal(upright),
        3 => rotate180(upright),
        4 => flip_vertical(upright),
        5 => flip_horizontal(&rotate90(upright)),
        6 => rotate270(upright),
        7 => flip_horizontal(&rotate270(upright)),
        8 => rotate90(upright),
        _ => upright.clone(),
    }
}

/// The renditions of a file, each as grey levels, with the file's record in displayed pixels.
fn renditions(file: &[u8], record: &Record) -> (Record, Vec<(Rendition, GrayImage)>) {
    let sizes = SIZES.parse().expect("valid sizes");
    let policy = NormalizationPolicy::new(sizes, OutputFormat::Png, AlphaPolicy::Keep, Rgb([10, 20, 30]));
    let normalized = normalize(file, &policy.expect("valid"), &Limits::default()).expect("an image");
    let size = (normalized.width, normalized.height);
    let displayed = record.to_displayed(normalized.orientation, size).expect("the image's size");
    let read = |rendition: Rendition| {
        let pixels = image::load_from_memory(&rendition.bytes).expect("a PNG").to_luma8();
        (rendition, pixels)
    };
    (displayed, normalized.renditions.into_iter().map(read).collect())
}

fn size(rendition: &Rendition) -> (u32, u32) {
    (rendition.width, rendition.height)
}

fn kept(region: &Region, rendition: &Rendition) -> Option<Region> {
    match transform(region, &rendition.affine, size(rendition), &ClipPolicy { min_visible: 0.0 }) {
        Transformed::Kept(region, _) => Some(region),
        Transformed::Dropped(DropReason::Outside) => None,
        Transformed::Dropped(reason) => panic!("dropped: {reason:?}"),
    }
}

#[test]
fn every_shape_is_on_its_colour_for_every_orientation_and_fit() {
    let mut cut = 0;
    for shape in shapes() {
        let picture = draw(SIZE, membership(&shape));
        for (name, file, record) in cases(&picture, &region(shape.clone())) {
            let (displayed, renditions) = renditions(&file, &record);
            for (rendition, pixels) in renditions {
                let case = format!("{} {name} {}", shape.kind(), rendition.spec);
                match kept(&displayed.regions[0], &rendition) {
                    Some(found) => lies_on_colour(&found.shape, &pixels, &case),
                    None => assert_eq!(Extent::above(COLOUR, &pixels), None, "{case}: dropped"),
                }
                cut += usize::from(
                    Extent::above(COLOUR, &pixels).is_some_and(|extent| extent.touches(size(&rendition))),
                );
            }
        }
    }
    assert!(cut > 20, "the test must see shapes that are cut: {cut}");
}

/// Annotation and colour have the same extent, every coloured pixel is in or next to the shape, and every pixel that is
/// well inside of the shape is coloured.
fn lies_on_colour(shape: &Shape, pixels: &GrayImage, case: &str) {
    let colour = Extent::above(COLOUR, pixels).unwrap_or_else(|| panic!("{case}: no colour"));
    let tips = Extent::above(TIP, pixels).expect("there is colour");
    let bounds = shape.bounds().expect("a shape with extent");
    let annotation = Extent::of(bounds);
    assert!(annotation.apart(&colour, &tips) <= APART, "{case}: {annotation:?} on {colour:?}");
    let inside = membership(shape);
    for (x, y) in colour.pixels() {
        let centre = Point { x: f64::from(x) + 0.5, y: f64::from(y) + 0.5 };
        let coloured = pixels.get_pixel(x, y).0[0] > COLOUR;
        let around = |radius: f64| {
            (0..8).map(move |step| {
                let (sin, cos) = (f64::from(step) * std::f64::consts::FRAC_PI_4).sin_cos();
                Point { x: centre.x + radius * cos, y: centre.y + radius * sin }
            })
        };
        if coloured && !inside(centre) {
            let near = around(APART / 2.0).chain(around(APART)).any(&inside);
            assert!(near, "{case}: colour without annotation at {x} {y}");
        } else if !coloured && inside(centre) {
            let deep = around(APART).all(&inside);
            assert!(!deep, "{case}: annotation without colour at {x} {y}");
        }
    }
}

#[test]
fn points_and_keypoints_are_in_the_middle_of_their_dots() {
    let dot = Point { x: 352.0, y: 201.0 };
    let corner = Point { x: 5.0, y: 5.0 };
    let picture = draw(SIZE, |at| (at.x - dot.x).hypot(at.y - dot.y) < 12.0);
    let mut point = region(Shape::Point { at: dot, size: None });
    point.keypoints = vec![
        Keypoint { at: dot, visibility: Visibility::Hidden },
        Keypoint { at: corner, visibility: Visibility::Visible },
    ];
    for (name, file, record) in cases(&picture, &point) {
        let (displayed, renditions) = renditions(&file, &record);
        for (rendition, pixels) in renditions {
            let found = kept(&displayed.regions[0], &rendition).expect("in the middle of the picture");
            let Shape::Point { at, .. } = found.shape else { panic!("{found:?}") };
            let middle = drawing::middle(&pixels);
            let case = format!("{name} {}: {at:?}, {middle:?}", rendition.spec);
            assert!((at.x - middle.x).hypot(at.y - middle.y) < APART / 2.0, "{case}");
            assert_eq!(found.keypoints[0], Keypoint { at, visibility: Visibility::Hidden }, "{case}");
            let cropped = rendition.spec.to_string().ends_with(":crop");
            let expected = if cropped { Visibility::Absent } else { Visibility::Visible };
            assert_eq!(found.keypoints[1].visibility, expected, "{case}");
        }
    }
}

#[test]
fn what_is_cut_off_is_counted() {
    let far = region(Shape::Box(Bounds { x: 0.0, y: 0.0, width: 30.0, height: 30.0 }));
    let picture = draw(SIZE, |at| at.x < 30.0 && at.y < 30.0);
    let (displayed, renditions) =
        renditions(&encode(&picture, 1, Container::Png), &record(FrameKind::Displayed, far));
    let outcomes: Vec<_> = renditions
        .iter()
        .map(|(rendition, _)| {
            let (affine, policy) = (&rendition.affine, ClipPolicy::default());
            (rendition.spec.to_string(), transform(&displayed.regions[0], affine, size(rendition), &policy))
        })
        .filter(|(_, outcome)| matches!(outcome, Transformed::Dropped(_)))
        .collect();
    let names: Vec<_> = outcomes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["500x200:crop", "200x500:crop"]);
}

#[test]
fn an_annotation_in_the_wrong_frame_is_refused_and_not_drawn() {
    let picture = draw(SIZE, |_| false);
    let shape = region(Shape::Image);
    let file = encode(&picture, 6, Container::Jpeg);
    let sizes = "360p".parse().expect("valid");
    let policy =
        NormalizationPolicy::new(sizes, OutputFormat::Png, AlphaPolicy::Keep, Rgb::BLACK).expect("valid");
    let normalized = normalize(&file, &policy, &Limits::default()).expect("an image");
    assert_eq!(
        (normalized.width, normalized.height, normalized.orientation),
        (397, 701, Orientation::Rotate90)
    );
    let refused = record(FrameKind::Displayed, shape).to_displayed(normalized.orientation, (397, 701));
    let said = refused.expect_err("drawn on 701x397").to_string();
    assert!(said.contains("701x397 are the stored pixels' sides"), "{said}");
}
