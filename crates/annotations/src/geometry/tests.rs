//! Geometry against an independent calculation: whether a point of the variant belongs to a shape is asked of the
//! original, through the inverse of the map.

use proptest::prelude::*;

use super::*;
use crate::{Bounds, Mask, Polygon};

const ORIGINAL: (u32, u32) = (120, 80);

fn region(shape: Shape) -> Region {
    Region::new("r", "thing", shape)
}

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Bounds {
    Bounds { x, y, width, height }
}

fn ring(points: &[[f64; 2]]) -> Vec<Point> {
    points.iter().copied().map(Point::from).collect()
}

fn kept(shape: Shape, affine: &Affine, size: (u32, u32)) -> (Region, Vec<Note>) {
    match transform(&region(shape), affine, size, &ClipPolicy { min_visible: 0.0 }) {
        Transformed::Kept(region, notes) => (region, notes),
        Transformed::Dropped(reason) => panic!("dropped: {reason:?}"),
    }
}

fn close(a: f64, b: f64, within: f64) -> bool {
    (a - b).abs() <= within
}

fn near(found: Option<Bounds>, expected: Bounds, within: f64) -> bool {
    found.is_some_and(|found| {
        close(found.x, expected.x, within)
            && close(found.y, expected.y, within)
            && close(found.width, expected.width, within)
            && close(found.height, expected.height, within)
    })
}

fn inside_ring(ring: &[Point], at: Point) -> bool {
    // The sum of the angles under which the edges are seen: ±2π inside, 0 outside.
    let angle = |a: &Point, b: &Point| {
        let (ax, ay, bx, by) = (a.x - at.x, a.y - at.y, b.x - at.x, b.y - at.y);
        (ax * by - ay * bx).atan2(ax * bx + ay * by)
    };
    let edges = ring.iter().zip(ring.iter().cycle().skip(1));
    edges.map(|(a, b)| angle(a, b)).sum::<f64>().abs() > 1.0
}

/// Whether a point belongs to a shape, by its definition.
fn contains(shape: &Shape, at: Point) -> bool {
    let turned = |center: Point, rotation: f64| {
        let (sin, cos) = (-rotation).to_radians().sin_cos();
        let (x, y) = (at.x - center.x, at.y - center.y);
        (x * cos - y * sin, x * sin + y * cos)
    };
    match shape {
        Shape::Image => true,
        Shape::Point { .. } => false,
        Shape::Box(Bounds { x, y, width, height }) => {
            (*x..x + width).contains(&at.x) && (*y..y + height).contains(&at.y)
        }
        Shape::RotatedBox { x, y, width, height, rotation } => {
            let (right, down) = turned(Point { x: *x, y: *y }, *rotation);
            (0.0..*width).contains(&right) && (0.0..*height).contains(&down)
        }
        Shape::Ellipse { center, radius_x, radius_y, rotation } => {
            let (right, down) = turned(*center, *rotation);
            (right / radius_x).powi(2) + (down / radius_y).powi(2) < 1.0
        }
        Shape::Polygon { polygons, .. } => polygons.iter().any(|polygon| {
            inside_ring(&polygon.exterior, at) && !polygon.holes.iter().any(|hole| inside_ring(hole, at))
        }),
        Shape::Mask(mask) => at.x >= 0.0 && at.y >= 0.0 && mask.is_set(at.x as u32, at.y as u32),
    }
}

/// Shapes within the original, each large enough to be sampled.
fn shapes() -> impl Strategy<Value = Shape> {
    let place = (30.0..90.0, 25.0..55.0_f64);
    let sides = (8.0..40.0, 8.0..25.0_f64);
    prop_oneof![
        (place.clone(), sides.clone()).prop_map(|((x, y), (w, h))| Shape::Box(rectangle(
            x - w / 2.0,
            y - h / 2.0,
            w,
            h
        ))),
        (place.clone(), sides.clone(), -360.0..360.0).prop_map(|((x, y), (width, height), rotation)| {
            Shape::RotatedBox { x, y, width: width / 2.0, height: height / 2.0, rotation }
        }),
        (place.clone(), sides, 0.0..360.0).prop_map(|((x, y), (w, h), rotation)| Shape::Ellipse {
            center: Point { x, y },
            radius_x: w / 2.0,
            radius_y: h / 2.0,
            rotation,
        }),
        // A star with a hole.
        (place.clone(), prop::collection::vec(12.0..25.0, 5..12)).prop_map(|((x, y), radii)| {
            let corner = |(index, radius): (usize, &f64)| {
                let (sin, cos) = (std::f64::consts::TAU * index as f64 / radii.len() as f64).sin_cos();
                Point { x: x + radius * cos, y: y + radius * sin }
            };
            let exterior = radii.iter().enumerate().map(corner).collect();
            let hole =
                ring(&[[x - 3.0, y - 3.0], [x - 3.0, y + 3.0], [x + 3.0, y + 3.0], [x + 3.0, y - 3.0]]);
            Shape::Polygon { polygons: vec![Polygon { exterior, holes: vec![hole] }], closed: true }
        }),
        (place, 4.0..20.0).prop_map(|((x, y), radius)| {
            let set = |px: u32, py: u32| (f64::from(px) - x).hypot(f64::from(py) - y) < radius;
            Shape::Mask(Mask::from_fn(ORIGINAL.0, ORIGINAL.1, set).expect("small"))
        }),
    ]
}

/// Every turn of the eight orientations, scaled by about the same or by other factors, and moved.
fn maps() -> impl Strategy<Value = [f64; 6]> {
    let scales = prop_oneof![(0.5..2.0).prop_map(|scale: f64| (scale, scale)), (0.5..2.0, 0.5..2.0)];
    (scales, -20.0..20.0, -20.0..20.0, any::<[bool; 3]>()).prop_map(
        |((sx, sy), tx, ty, [mirror, flip, swap])| {
            let (sx, tx) = if mirror { (-sx, 120.0 * sx + tx) } else { (sx, tx) };
            let (sy, ty) = if flip { (-sy, 80.0 * sy + ty) } else { (sy, ty) };
            if swap { [0.0, sx, tx, sy, 0.0, ty] } else { [sx, 0.0, tx, 0.0, sy, ty] }
        },
    )
}

/// Every map, also turned and sheared ones.
fn any_map() -> impl Strategy<Value = [f64; 6]> {
    let free = prop::array::uniform4(-1.5..1.5);
    let free = free.prop_filter_map("flat", |[a, b, d, e]: [f64; 4]| {
        let keep = (a * e - b * d).abs() > 0.2;
        keep.then_some([a, b, 60.0 - a * 60.0 - b * 40.0, d, e, 40.0 - d * 60.0 - e * 40.0])
    });
    prop_oneof![maps(), free]
}

/// Points of a variant that are farther than `margin` from where membership changes, with what they should be.
fn samples(shape: &Shape, map: &[f64; 6], size: (u32, u32), margin: f64) -> Vec<(Point, bool)> {
    let back = Linear::new(&Affine(*map)).inverse().expect("not flat");
    let belongs = |x: f64, y: f64| {
        let inside = (0.0..f64::from(size.0)).contains(&x) && (0.0..f64::from(size.1)).contains(&y);
        inside && contains(shape, back.point(Point { x, y }))
    };
    let mut samples = Vec::new();
    for index in 0..(size.0 / 2) * (size.1 / 2) {
        let at = [f64::from(index % (size.0 / 2)) * 2.0 + 0.7, f64::from(index / (size.0 / 2)) * 2.0 + 0.7];
        let expected = belongs(at[0], at[1]);
        // Rings around the point: what is thin must not slip through.
        let around = [0.1, 0.3, 0.6, 1.0].into_iter().flat_map(|part| {
            (0..16).map(move |step| {
                let (sin, cos) = (std::f64::consts::TAU * f64::from(step) / 16.0).sin_cos();
                (at[0] + part * margin * cos, at[1] + part * margin * sin)
            })
        });
        if around.into_iter().all(|(x, y)| belongs(x, y) == expected) {
            samples.push((Point::from(at), expected));
        }
    }
    samples
}

fn check(shape: Shape, map: &[f64; 6], size: (u32, u32), margin: f64) -> Result<(), TestCaseError> {
    let samples = samples(&shape, map, size, margin);
    match transform(&region(shape), &Affine(*map), size, &ClipPolicy { min_visible: 0.0 }) {
        Transformed::Kept(found, _) => {
            for (at, expected) in samples {
                prop_assert_eq!(contains(&found.shape, at), expected, "at {:?} in {:?}", at, &found.shape);
            }
            let Bounds { x, y, width, height } = found.shape.bounds().expect("a shape with extent");
            prop_assert!(x >= -1e-6 && x + width <= f64::from(size.0) + 1e-6, "{:?}", found.shape);
            prop_assert!(y >= -1e-6 && y + height <= f64::from(size.1) + 1e-6, "{:?}", found.shape);
        }
        Transformed::Dropped(reason) => {
            prop_assert!(samples.iter().all(|(_, inside)| !inside), "{:?}", reason);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_shape_lands_where_its_points_land(shape in shapes(), map in any_map(), size in (40..150_u32, 40..150_u32)) {
        // Corners of a rotated box, which a box may become, may be half a pixel off; a mask's edges half a pixel of
        // either picture.
        let margin = match shape { Shape::Mask(_) => 2.2, Shape::Box(_) | Shape::RotatedBox { .. } => 0.6, _ => 0.1 };
        check(shape, &map, size, margin)?;
    }

    #[test]
    fn area_and_extent_follow_the_map(shape in shapes(), map in any_map()) {
        let mapped = turn(&region(shape.clone()), &Affine(map), (300, 300)).shape;
        let (Some(before), Some(after)) = (shape.area(), mapped.area()) else { panic!("areas") };
        if !matches!(shape, Shape::Mask(_)) {
            let scaled = before * Linear::new(&Affine(map)).determinant().abs();
            // A rotated box stays one if it is nearly a rectangle.
            let slack = if matches!(mapped, Shape::RotatedBox { .. }) { 0.002 } else { 1e-9 };
            prop_assert!(close(after, scaled, slack * scaled), "{} {}", after, scaled);
        }
        let bounds = mapped.bounds().expect("a shape with extent");
        let outside = |at: Point| {
            at.x < bounds.x - 0.01 || at.x > bounds.x + bounds.width + 0.01
                || at.y < bounds.y - 0.01 || at.y > bounds.y + bounds.height + 0.01
        };
        for index in 0..400_u32 {
            let at = Point { x: f64::from(index % 20) * 12.0 - 60.0, y: f64::from(index / 20) * 12.0 - 60.0 };
            prop_assert!(!(contains(&mapped, at) && outside(at)));
        }
    }

    #[test]
    fn the_visible_part_is_that_of_a_box(x in -50.0..50.0, y in -50.0..50.0, w in 1.0..60.0, h in 1.0..60.0) {
        // The same box as a box, as a rotated box and as a polygon.
        let (right, down) = (x + w, y + h);
        let rows = ring(&[[x, y], [right, y], [right, down], [x, down]]);
        let inside = (f64::min(right, 50.0) - f64::max(x, 0.0)).max(0.0) * (f64::min(down, 40.0) - f64::max(y, 0.0)).max(0.0);
        let expected = inside / (w * h);
        for shape in [
            Shape::Box(rectangle(x, y, w, h)),
            Shape::RotatedBox { x: right, y, width: h, height: w, rotation: 90.0 },
            Shape::Polygon { polygons: vec![Polygon { exterior: rows, holes: vec![] }], closed: true },
        ] {
            let identity = Affine::scale_then_move(1.0, 1.0, 0.0, 0.0);
            let visible = match transform(&region(shape), &identity, (50, 40), &ClipPolicy::default()) {
                Transformed::Kept(_, notes) => notes.iter().find_map(|note| match note {
                    Note::Clipped { visible } => Some(*visible),
                    Note::Became { .. } | Note::Closed | Note::KeypointsOutside { .. } => None,
                }).unwrap_or(1.0),
                Transformed::Dropped(DropReason::BelowMinimum { visible }) => visible,
                Transformed::Dropped(_) => 0.0,
            };
            prop_assert!(close(visible, expected, 1e-6), "{} {}", visible, expected);
        }
    }

    #[test]
    fn pixels_of_a_raster_are_those_whose_centres_are_inside(shape in shapes()) {
        let mask = rasterize(&outline(&shape), ORIGINAL).expect("small");
        for index in 0..ORIGINAL.0 * ORIGINAL.1 {
            let (x, y) = (index % ORIGINAL.0, index / ORIGINAL.0);
            let near = |dx: f64, dy: f64| contains(&shape, Point { x: f64::from(x) + 0.5 + dx, y: f64::from(y) + 0.5 + dy });
            let clear = near(0.1, 0.0) == near(-0.1, 0.0) && near(0.0, 0.1) == near(0.0, -0.1);
            if clear && !matches!(shape, Shape::Mask(_)) {
                prop_assert_eq!(mask.is_set(x, y), near(0.0, 0.0), "{} {}", x, y);
            }
        }
    }
}

mod examples;
