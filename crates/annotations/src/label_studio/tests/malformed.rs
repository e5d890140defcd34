//! What is broken is named, and costs only what it belongs to.

use super::*;

fn said(items: Vec<ReadItem>) -> Vec<String> {
    refusals(items).iter().map(ToString::to_string).collect()
}

/// Reads three tasks of which the second is this text, and returns what is said about it.
fn between(text: &str) -> Vec<Refusal> {
    let numbered = |id: i64| {
        let mut task = task(&[car("r")]);
        (task["id"], task["annotations"][0]["id"]) = (json!(id), json!(id));
        task
    };
    let document = format!("[{}, {text}, {}]", numbered(1), numbered(3));
    let items: Vec<_> = read(document.as_bytes(), &ReadOptions::default()).collect();
    let tasks: Vec<_> = records(items.clone()).iter().map(|record| record.item().task_id).collect();
    assert_eq!(tasks, [Some(1), Some(3)], "the others are read");
    let refusals = refusals(items);
    assert!(refusals.iter().all(|refusal| refusal.item.index == Some(1)), "{refusals:?}");
    refusals
}

fn code_between(text: &str) -> RefusalCode {
    let refusals = between(text);
    let [refusal] = refusals.as_slice() else { panic!("{refusals:?}") };
    refusal.code
}

#[test]
fn a_file_that_is_cut_off_is_read_as_far_as_it_goes() {
    let whole = json!([task(&[car("r")]), task(&[car("s")])]).to_string();
    let (start, _) = whole.split_at(whole.len() - 20);
    let items: Vec<_> = read(start.as_bytes(), &ReadOptions::default()).collect();
    assert_eq!(records(items.clone()).len(), 1);
    let refusals = refusals(items);
    assert_eq!(
        (refusals[0].item.index, refusals[0].code, refusals.len()),
        (Some(1), RefusalCode::Truncated, 1)
    );
    let single = task(&[car("r")]).to_string();
    let (start, _) = single.split_at(single.len() - 20);
    let items: Vec<_> = read(start.as_bytes(), &ReadOptions::default()).collect();
    assert_eq!(super::refusals(items)[0].code, RefusalCode::Truncated);
    for nothing in ["", "3", "\"task\"", "nul"] {
        let items: Vec<_> = read(nothing.as_bytes(), &ReadOptions::default()).collect();
        assert_eq!(
            said(items),
            ["malformed: neither a list nor an object"].map(|text| format!("the file: {text}"))
        );
    }
}

#[test]
fn wrong_types_cost_the_item_they_are_in() {
    let mut wrong = task(&[]);
    wrong["id"] = json!(2);
    for (key, value) in [
        ("id", json!("two")),
        ("data", json!([1])),
        ("annotations", json!({"id": 4})),
        ("annotations", json!(["x"])),
        ("annotations", json!([{"id": "x", "result": []}])),
        ("annotations", json!([{"id": 5}])),
        ("annotations", json!([{"id": 5, "result": {}}])),
        ("annotations", json!([{"id": 5, "result": [], "completed_by": true}])),
        ("annotations", json!([{"id": 5, "result": [], "ground_truth": "yes"}])),
        ("annotations", json!([{"id": 5, "result": [], "was_cancelled": "yes"}])),
        ("annotations", json!([{"id": 5, "result": [], "created_at": 3}])),
        ("annotations", json!([{"id": 5, "result": [], "imageml": 3}])),
        ("annotations", json!([{"id": 5, "result": [3]}])),
        ("annotations", json!([{"id": 5, "result": [{"id": "r"}]}])),
        (
            "annotations",
            json!([{"id": 5, "result": [{"id": "r", "type": "choices", "from_name": "c", "value": 3}]}]),
        ),
    ] {
        let mut wrong = wrong.clone();
        wrong[key] = value;
        if key == "id" {
            wrong["annotations"] = json!([]);
        }
        assert_eq!(code_between(&wrong.to_string()), RefusalCode::Malformed, "{wrong}");
    }
    for text in ["3", "null", "\"x\"", "[]"] {
        assert_eq!(code_between(text), RefusalCode::Malformed);
    }
    assert_eq!(code_between("{}"), RefusalCode::NoImage);
    assert_eq!(code_between(r#"{"id": 4, "result": [], "task": 2}"#), RefusalCode::NoImage);
}

#[test]
fn wrong_results_are_named() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = car("r");
        change(&mut changed);
        refused(&[changed])
    };
    assert_eq!(with(&|car| car["value"]["x"] = json!("10")), RefusalCode::Malformed);
    assert_eq!(with(&|car| car["value"]["x"] = json!(null)), RefusalCode::Malformed);
    assert_eq!(with(&|car| car["value"]["width"] = json!(0)), RefusalCode::Degenerate);
    assert_eq!(with(&|car| car["value"]["width"] = json!(-3)), RefusalCode::Degenerate);
    assert_eq!(with(&|car| car["value"]["x"] = json!(110)), RefusalCode::OutOfRange);
    assert_eq!(with(&|car| car["value"]["x"] = json!(80)), RefusalCode::OutOfRange);
    assert_eq!(with(&|car| car["value"]["rectanglelabels"] = json!([3])), RefusalCode::Malformed);
    assert_eq!(with(&|car| car["value"]["rectanglelabels"] = json!("car")), RefusalCode::Malformed);
    assert_eq!(with(&|car| car["score"] = json!(1.8)), RefusalCode::OutOfRange);
    assert_eq!(with(&|car| car["meta"] = json!(["x"])), RefusalCode::Malformed);
    assert_eq!(with(&|car| car["parentID"] = json!(3)), RefusalCode::Malformed);
    assert_eq!(with(&|car| car["type"] = json!("timeserieslabels")), RefusalCode::UnsupportedShape);
    assert_eq!(with(&|car| car["from_name"] = json!(null)), RefusalCode::Malformed);
    let ring = |points: Value| {
        refused(&[entry("p", "polygonlabels", json!({"points": points, "polygonlabels": ["car"]}))])
    };
    assert_eq!(ring(json!([[1, 1], [2, 2]])), RefusalCode::Degenerate);
    assert_eq!(ring(json!([[1, 1], [2, 2], [3, 3]])), RefusalCode::Degenerate);
    assert_eq!(ring(json!([[1, 1], [2, 2], [3]])), RefusalCode::Malformed);
    assert_eq!(ring(json!([[1, 1], [2, 2], [3, 101]])), RefusalCode::OutOfRange);
    let strokes = |rle: Value| {
        refused(&[entry("b", "brushlabels", json!({"format": "rle", "rle": rle, "brushlabels": ["mud"]}))])
    };
    assert_eq!(strokes(json!([0, 0, 0, 60, 57, 27])), RefusalCode::SizeConflict);
    assert_eq!(
        strokes(json!([0, 30, 132, 128, 57, 27])),
        RefusalCode::Malformed,
        "1000x500, and nothing else"
    );
    assert_eq!(strokes(json!([0, 30, 132, 256])), RefusalCode::Malformed);
    assert_eq!(
        strokes(json!(brush::encode(&Mask::from_fn(1000, 500, |_, _| false).expect("small")))),
        RefusalCode::Degenerate
    );
}

#[test]
fn all_that_is_wrong_with_a_record_is_listed_with_its_region() {
    let (mut far, mut none) = (car("far"), car("none"));
    far["value"]["x"] = json!(300);
    far["score"] = json!(7);
    none["value"]["rectanglelabels"] = json!([]);
    let mut document =
        task(&[far, car("fine"), none, json!({"id": "v", "type": "video", "from_name": "v", "value": {}})]);
    document["annotations"][0]["completed_by"] = json!([1]);
    let said = said(read_all(&document));
    assert_eq!(
        said,
        [
            "item 0 task 19 annotation 4: malformed: `completed_by` is no user: [1]",
            "item 0 task 19 annotation 4 region \"v\": unsupported_shape: `type` is \"video\"",
            "item 0 task 19 annotation 4 region \"far\": out_of_range: x is at 3000.00, the image goes from 0 to 1000 \
             pixels",
            "item 0 task 19 annotation 4 region \"far\": out_of_range: `score` is 7; 0 to 1 is taken",
            "item 0 task 19 annotation 4 region \"none\": no_label: `rectanglelabels` is empty",
        ]
    );
}

#[test]
fn what_is_not_a_number_is_named_with_its_task() {
    let text = task(&[car("r")]).to_string().replace("\"x\":10", "\"x\":NaN");
    let refusals = between(&text);
    assert_eq!((refusals[0].item.task_id, refusals[0].code), (Some(19), RefusalCode::NotFinite));
    let text = task(&[car("r")]).to_string().replace("\"x\":10", "\"x\":1e999");
    assert_eq!(code_between(&text), RefusalCode::Malformed);
}

#[test]
fn the_second_of_two_equal_annotations_is_refused() {
    let document = json!([task(&[car("r")]), task(&[car("s")])]);
    let items = read_all(&document);
    assert_eq!(records(items.clone())[0].regions[0].id, "r");
    assert_eq!(refusals(items)[0].code, RefusalCode::DuplicateId);
}

#[test]
fn a_label_without_a_name_is_refused() {
    let mut unnamed = car("r");
    unnamed["value"]["rectanglelabels"] = json!(["car", ""]);
    assert_eq!(refused(&[unnamed]), RefusalCode::NoLabel);
}

#[test]
fn two_regions_with_one_id_are_refused() {
    assert_eq!(refused(&[car("r"), car("r")]), RefusalCode::DuplicateId);
    let ring =
        entry("r", "polygonlabels", json!({"points": [[1, 1], [2, 1], [2, 2]], "polygonlabels": ["car"]}));
    assert_eq!(refused(&[car("r"), ring]), RefusalCode::DuplicateId);
}

#[test]
fn large_polygons_are_read_and_larger_ones_refused() {
    let circle = |count: u32| {
        let points: Vec<_> = (0..count)
            .map(|step| {
                let (sin, cos) = (f64::from(step) / f64::from(count) * std::f64::consts::TAU).sin_cos();
                [50.0 + 40.0 * cos, 50.0 + 40.0 * sin]
            })
            .collect();
        entry("p", "polygonlabels", json!({"points": points, "polygonlabels": ["car"]}))
    };
    let ring = circle(50_000);
    let Shape::Polygon { polygons, .. } = region(std::slice::from_ref(&ring)).shape else {
        panic!("a polygon")
    };
    assert_eq!(polygons[0].exterior.len(), 50_000);
    let refusal = &refusals(read_all(&task(&[circle(100_000)])))[0];
    assert_eq!((refusal.code, refusal.item.region_id.as_deref()), (RefusalCode::LimitExceeded, Some("p")));
    let exterior: Vec<_> = (0..50_001).map(|step| [step % 999, step % 499]).collect();
    let mut carried = car("c");
    carried["meta"] =
        json!({ CARRIED: { "shape": { "type": "polygon", "polygons": [{ "exterior": exterior }] } } });
    assert_eq!(refused(&[carried]), RefusalCode::LimitExceeded);
    let tight = |limits: Limits| ReadOptions { limits, ..ReadOptions::default() };
    let fewer = tight(Limits { points: 49_999, ..Limits::default() });
    assert_eq!(refused_with(std::slice::from_ref(&ring), &fewer), RefusalCode::LimitExceeded);
    let fewer = tight(Limits { results: 1, ..Limits::default() });
    assert_eq!(refused_with(&[car("a"), car("b")], &fewer), RefusalCode::LimitExceeded);
    let fewer = tight(Limits { item_bytes: 1000, ..Limits::default() });
    let refusals = refusals(read_with(&task(&[ring]), &fewer));
    assert_eq!((refusals[0].item.task_id, refusals[0].code), (Some(19), RefusalCode::LimitExceeded));
    let strokes = brush::encode(&Mask::from_fn(1000, 500, |x, _| x == 0).expect("small"));
    let strokes =
        |id: &str| entry(id, "brushlabels", json!({"format": "rle", "rle": strokes, "brushlabels": ["mud"]}));
    let fewer = tight(Limits { pixels: 999_999, ..Limits::default() });
    assert_eq!(refused_with(&[strokes("a"), strokes("b")], &fewer), RefusalCode::LimitExceeded);
    assert_eq!(regions(&[strokes("a"), strokes("b")]).len(), 2);
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(code_between(&deep), RefusalCode::Malformed);
    assert_eq!(code_between(&format!(r#"{{"id": 2, "data": {{"image": {deep}}}}}"#)), RefusalCode::Malformed);
    let objects = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    assert_eq!(code_between(&objects), RefusalCode::Malformed);
}
