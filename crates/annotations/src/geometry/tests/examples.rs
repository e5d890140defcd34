//! Numbers worked out by hand.

use super::*;

fn scale(sx: f64, sy: f64) -> Affine {
    Affine::scale_then_move(sx, sy, 0.0, 0.0)
}

#[test]
fn a_rotated_box_has_its_true_extent_where_the_sdk_has_not() {
    // Measured in the SDK's own oriented-box output; its COCO says [50, 100, 309.8, 118.3].
    let shape = Shape::RotatedBox { x: 100.0, y: 100.0, width: 300.0, height: 50.0, rotation: 30.0 };
    assert!(near(shape.bounds(), rectangle(75.0, 100.0, 284.8, 193.3), 0.05), "{:?}", shape.bounds());
    assert_eq!(shape.area(), Some(15_000.0));
}

#[test]
fn the_areas_of_shapes() {
    let square = |side: f64| ring(&[[0.0, 0.0], [side, 0.0], [side, side], [0.0, side]]);
    let holed = Polygon { exterior: square(10.0), holes: vec![square(4.0)] };
    let shape = Shape::Polygon { polygons: vec![holed.clone(), holed], closed: true };
    assert_eq!(shape.area(), Some(168.0));
    assert_eq!(Shape::Image.area(), None);
    assert_eq!(Shape::Image.bounds(), None);
    let ellipse =
        Shape::Ellipse { center: Point { x: 5.0, y: 5.0 }, radius_x: 3.0, radius_y: 2.0, rotation: 90.0 };
    assert!(close(ellipse.area().expect("an area"), 18.8496, 1e-4));
    assert!(near(ellipse.bounds(), rectangle(3.0, 2.0, 4.0, 6.0), 1e-9));
}

#[test]
fn a_box_is_scaled_and_cut() {
    // 650x417 letterboxed into 800x600: scaled to 800x513, 43 rows above.
    let affine = Affine::scale_then_move(800.0 / 650.0, 513.0 / 417.0, 0.0, 43.0);
    let (found, notes) = kept(Shape::Box(rectangle(81.0, 88.0, 441.0, 320.0)), &affine, (800, 600));
    assert!(near(found.shape.bounds(), rectangle(99.6923, 151.2590, 542.7692, 393.6691), 1e-4), "{found:?}");
    assert_eq!(notes, []);
    let moved = Affine::scale_then_move(2.0, 1.0, -20.0, 0.0);
    let (found, notes) = kept(Shape::Box(rectangle(5.0, 0.0, 10.0, 10.0)), &moved, (100, 50));
    assert_eq!(found.shape, Shape::Box(rectangle(0.0, 0.0, 10.0, 10.0)));
    assert_eq!(notes, [Note::Clipped { visible: 0.5 }]);
}

#[test]
fn what_is_hardly_visible_is_dropped_and_told_apart_from_what_is_outside() {
    let drop = |x: f64, min_visible: f64| {
        let shape = Shape::Box(rectangle(x, 0.0, 100.0, 10.0));
        match transform(&region(shape), &scale(1.0, 1.0), (100, 100), &ClipPolicy { min_visible }) {
            Transformed::Dropped(reason) => Some(reason),
            Transformed::Kept(..) => None,
        }
    };
    assert_eq!(ClipPolicy::default().min_visible, 0.1);
    assert_eq!(drop(95.0, 0.1), Some(DropReason::BelowMinimum { visible: 0.05 }));
    assert_eq!(drop(95.0, 0.05), None);
    assert_eq!(drop(-90.0, 0.1), None);
    assert_eq!(drop(100.0, 0.1), Some(DropReason::Outside), "it only touches the edge");
    assert_eq!(drop(-500.0, 0.0), Some(DropReason::Outside));
}

#[test]
fn a_rotated_box_stays_one_unless_it_is_sheared_or_cut() {
    let shape = Shape::RotatedBox { x: 100.0, y: 100.0, width: 300.0, height: 50.0, rotation: 30.0 };
    let (found, notes) = kept(shape.clone(), &scale(0.5, 0.5), (500, 250));
    let half = Shape::RotatedBox { x: 50.0, y: 50.0, width: 150.0, height: 25.0, rotation: 30.0 };
    assert_eq!((found.shape, notes), (half, vec![]));

    // Mirrored left-right in 1000 pixels: turned the other way.
    let (found, _) = kept(shape.clone(), &Affine([-1.0, 0.0, 1000.0, 0.0, 1.0, 0.0]), (1000, 500));
    let Shape::RotatedBox { rotation, width, height, .. } = found.shape else { panic!("{found:?}") };
    assert!(close(rotation, 330.0, 1e-9) && close(width, 300.0, 1e-9) && close(height, 50.0, 1e-9));
    assert!(near(found.shape.bounds(), rectangle(1000.0 - 75.0 - 284.8, 100.0, 284.8, 193.3), 0.05));

    // 1000x500 in 640x321 instead of 640x320: rounding, half a pixel at most.
    let (found, notes) = kept(shape.clone(), &scale(0.64, 0.642), (640, 321));
    assert_eq!((found.shape.kind(), notes), ("rotated_box", vec![]));

    let (found, notes) = kept(shape.clone(), &scale(1.0, 2.0), (1000, 1000));
    assert_eq!(notes, [Note::Became { from: "rotated_box", to: "polygon" }]);
    assert!(near(found.shape.bounds(), rectangle(75.0, 200.0, 284.8, 386.6), 0.1));
    assert!(close(found.shape.area().expect("an area"), 30_000.0, 1e-6), "the exact parallelogram");

    let (found, notes) = kept(shape, &scale(1.0, 1.0), (200, 500));
    assert_eq!(notes.first(), Some(&Note::Became { from: "rotated_box", to: "polygon" }));
    assert!(matches!(notes.last(), Some(Note::Clipped { .. })));
    assert!(found.shape.bounds().is_some_and(|bounds| bounds.x + bounds.width <= 200.0));
}

#[test]
fn an_ellipse_stays_one_unless_it_is_cut() {
    let shape =
        Shape::Ellipse { center: Point { x: 50.0, y: 40.0 }, radius_x: 20.0, radius_y: 10.0, rotation: 0.0 };
    let (found, notes) = kept(shape.clone(), &scale(3.0, 0.5), (300, 50));
    let wide =
        Shape::Ellipse { center: Point { x: 150.0, y: 20.0 }, radius_x: 60.0, radius_y: 5.0, rotation: 0.0 };
    assert_eq!((found.shape, notes), (wide, vec![]));

    let (found, notes) = kept(shape, &scale(1.0, 1.0), (50, 80));
    assert_eq!(notes.first(), Some(&Note::Became { from: "ellipse", to: "polygon" }));
    let Some(Note::Clipped { visible }) = notes.last() else { panic!("{notes:?}") };
    assert!(close(*visible, 0.5, 1e-9), "the left half: {visible}");
    assert!(near(found.shape.bounds(), rectangle(30.0, 30.0, 20.0, 20.0), 0.02));
    assert!(close(found.shape.area().expect("an area"), 314.159, 1e-3));
}

#[test]
fn a_cut_polygon_may_fall_into_parts_and_keeps_its_holes() {
    // A U whose bend is above the picture, and a frame around its middle.
    let u = ring(&[
        [10., -20.],
        [60., -20.],
        [60., 30.],
        [50., 30.],
        [50., -10.],
        [20., -10.],
        [20., 30.],
        [10., 30.],
    ]);
    let shape = Shape::Polygon { polygons: vec![Polygon { exterior: u, holes: vec![] }], closed: false };
    let (found, notes) = kept(shape, &scale(1.0, 1.0), (100, 100));
    let Shape::Polygon { polygons, closed } = &found.shape else { panic!("{found:?}") };
    assert_eq!((polygons.len(), *closed), (2, true));
    assert!(close(found.shape.area().expect("an area"), 600.0, 1e-6));
    assert_eq!(notes.first(), Some(&Note::Closed));

    let square = |from: f64, to: f64| ring(&[[from, from], [to, from], [to, to], [from, to]]);
    let frame = Polygon { exterior: square(40.0, 120.0), holes: vec![square(50.0, 90.0)] };
    let (found, _) =
        kept(Shape::Polygon { polygons: vec![frame], closed: true }, &scale(1.0, 1.0), (100, 100));
    let Shape::Polygon { polygons, .. } = &found.shape else { panic!("{found:?}") };
    assert_eq!(polygons.iter().map(|polygon| polygon.holes.len()).sum::<usize>(), 1);
    assert!(close(found.shape.area().expect("an area"), 60.0 * 60.0 - 40.0 * 40.0, 1e-6));
}

#[test]
fn keypoints_keep_their_visibility_and_those_outside_are_counted() {
    let keypoint = |x: f64, y: f64, visibility| Keypoint { at: Point { x, y }, visibility };
    let mut person = region(Shape::Box(rectangle(0.0, 0.0, 50.0, 50.0)));
    person.keypoints = vec![
        keypoint(10.0, 10.0, Visibility::Visible),
        keypoint(20.0, 20.0, Visibility::Hidden),
        keypoint(0.0, 0.0, Visibility::Absent),
        keypoint(45.0, 10.0, Visibility::Visible),
    ];
    let affine = Affine::scale_then_move(1.0, 1.0, 2.0, 0.0);
    let Transformed::Kept(found, notes) = transform(&person, &affine, (40, 60), &ClipPolicy::default())
    else {
        panic!("dropped")
    };
    let expected = [
        keypoint(12.0, 10.0, Visibility::Visible),
        keypoint(22.0, 20.0, Visibility::Hidden),
        keypoint(0.0, 0.0, Visibility::Absent),
        keypoint(0.0, 0.0, Visibility::Absent),
    ];
    assert_eq!(found.keypoints, expected);
    assert!(notes.contains(&Note::KeypointsOutside { count: 1 }));
}

#[test]
fn what_the_source_states_follows() {
    let mut crowd = region(Shape::Polygon {
        polygons: vec![Polygon {
            exterior: ring(&[[10.0, 10.0], [30.0, 10.0], [10.0, 30.0]]),
            holes: vec![],
        }],
        closed: true,
    });
    // Looser than the polygon, as in real files.
    (crowd.bounds, crowd.area, crowd.crowd) = (Some(rectangle(9.0, 9.0, 22.0, 22.0)), Some(190.0), true);
    let transformed = |size| match transform(&crowd, &scale(2.0, 2.0), size, &ClipPolicy::default()) {
        Transformed::Kept(region, _) => region,
        Transformed::Dropped(reason) => panic!("{reason:?}"),
    };
    let whole = transformed((100, 100));
    assert_eq!(
        (whole.bounds, whole.area, whole.crowd),
        (Some(rectangle(18.0, 18.0, 44.0, 44.0)), Some(760.0), true)
    );
    // The right half of the triangle's width is a quarter of its area.
    let cut = transformed((40, 100));
    assert!(
        near(cut.bounds, rectangle(20.0, 20.0, 20.0, 40.0), 1e-6),
        "tight around what is left: {:?}",
        cut.bounds
    );
    assert!(close(cut.area.expect("stated"), 570.0, 1e-4), "{:?}", cut.area);
}

#[test]
fn masks_take_the_nearest_pixel_and_say_when_they_vanish() {
    let mask = |set: fn(u32, u32) -> bool| Shape::Mask(Mask::from_fn(4, 4, set).expect("small"));
    let (found, _) = kept(mask(|x, y| x < 2 && y < 2), &scale(2.0, 1.0), (8, 4));
    let doubled = Mask::from_fn(8, 4, |x, y| x < 4 && y < 2).expect("small");
    assert_eq!(found.shape, Shape::Mask(doubled));

    let one = region(mask(|x, y| (x, y) == (0, 0)));
    let policy = ClipPolicy::default();
    let vanished = transform(&one, &scale(0.25, 0.25), (1, 1), &policy);
    assert_eq!(vanished, Transformed::Dropped(DropReason::Vanished), "(0.5, 0.5) comes from (2, 2)");
    let outside = transform(&one, &Affine::scale_then_move(1.0, 1.0, -2.0, 0.0), (4, 4), &policy);
    assert_eq!(outside, Transformed::Dropped(DropReason::Outside));
    let half = region(mask(|_, y| y == 0));
    let cut = transform(&half, &Affine::scale_then_move(1.0, 1.0, -2.0, 0.0), (2, 4), &policy);
    let Transformed::Kept(_, notes) = cut else { panic!("{cut:?}") };
    assert_eq!(notes, [Note::Clipped { visible: 0.5 }]);
}

#[test]
fn a_statement_about_the_whole_image_is_about_the_whole_variant() {
    assert_eq!(kept(Shape::Image, &scale(0.1, 3.0), (1, 1)).0.shape, Shape::Image);
    let (found, _) =
        kept(Shape::Point { at: Point { x: 4.0, y: 9.0 }, size: Some(2.0) }, &scale(3.0, 3.0), (12, 30));
    assert_eq!(found.shape, Shape::Point { at: Point { x: 12.0, y: 27.0 }, size: Some(6.0) });
}
