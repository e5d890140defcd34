//! What the SDK is given, and what happens when it is wrong.

use annotations::{Format, Mask, Point, Polygon, Record, Refusal, RefusalCode, Region, Shape, Visibility};
use anyhow::ensure;
use label_studio::{Candidate, Disagreement, Exception, Verdict, Verifier, Worker};
use serde_json::json;

use crate::rig::{
    Misbehaving, boxed, categories, record, region, ring, settings, simple_records, verdicts, verifier,
};

const TRIANGLE: [[f64; 2]; 3] = [[10.0, 20.0], [310.5, 20.25], [10.0, 499.875]];

/// A record of boxes and polygons in turns, with labels of every kind.
fn mixed(number: i64) -> Record {
    let labels: Vec<_> =
        categories().by_id().into_iter().map(|category| category.definition.name.clone()).collect();
    let shape = |at: usize| match at % 2 {
        0 => ring(&TRIANGLE),
        _ => boxed(at as f64, 1.0 / 3.0, 100.0, 499.0),
    };
    let regions = labels.iter().enumerate().map(|(at, label)| region(&format!("r{at}"), label, shape(at)));
    record(number, regions.collect())
}

#[tokio::test]
async fn labels_with_everything_in_them_and_any_order_of_regions_survive() -> anyhow::Result<()> {
    for format in [Format::LabelStudio, Format::Coco] {
        let mut verifier = verifier(settings()?, format).await?;
        let records = [mixed(1), record(2, Vec::new()), mixed(3)];
        ensure!(verdicts(&mut verifier, &records).await? == vec![Verdict::Verified; 3], "{format}");
        let report = verifier.report();
        assert_eq!(report.by_sdk, [("box", 6), ("polygon", 6)].into());
        assert_eq!((report.records, report.disagreeing, report.by_us.len()), (3, 0, 0));
    }
    Ok(())
}

/// One region for each of the SDK's mistakes that research has found, with what we call it.
fn exceptions() -> Vec<(Region, Exception)> {
    let of = |shape| region("r", "zebra", shape);
    let a_box = || of(boxed(1.0, 2.0, 3.0, 4.0));
    let triangle: Vec<Point> = TRIANGLE.into_iter().map(Point::from).collect();
    let polygon = |holes| Polygon { exterior: triangle.clone(), holes };
    let polygons = |polygons, closed| of(Shape::Polygon { polygons, closed });
    let at = Point { x: 5.0, y: 5.0 };
    let keypoint = annotations::Keypoint { at, visibility: Visibility::Visible };
    let mask = Mask::from_fn(4, 4, |x, _| x == 1).expect("a mask");
    vec![
        (
            of(Shape::RotatedBox { x: 100.0, y: 100.0, width: 300.0, height: 50.0, rotation: 30.0 }),
            Exception::Rotated,
        ),
        (of(Shape::Ellipse { center: at, radius_x: 3.0, radius_y: 2.0, rotation: 0.0 }), Exception::Shape),
        (of(Shape::Mask(mask)), Exception::Shape),
        (of(Shape::Point { at, size: None }), Exception::Shape),
        (of(Shape::Image), Exception::Shape),
        (Region { labels: Vec::new(), ..a_box() }, Exception::Labels),
        (Region { labels: vec!["zebra".to_owned(), "ant".to_owned()], ..a_box() }, Exception::Labels),
        (Region { labels: vec!["unheard of".to_owned()], ..a_box() }, Exception::NoCategory),
        (Region { keypoints: vec![keypoint], ..a_box() }, Exception::Keypoints),
        (Region { crowd: true, ..a_box() }, Exception::Crowd),
        (polygons(vec![polygon(Vec::new()), polygon(Vec::new())], true), Exception::SeveralRings),
        (polygons(vec![polygon(vec![triangle.clone()])], true), Exception::SeveralRings),
        (polygons(vec![polygon(Vec::new())], false), Exception::OpenRing),
        (of(ring(&[[1.0, 1.0], [2.0, 2.0]])), Exception::Degenerate),
        (of(boxed(f64::NAN, 0.0, 1.0, 1.0)), Exception::Degenerate),
    ]
}

#[tokio::test]
async fn what_the_sdk_gets_wrong_is_counted_as_ours() -> anyhow::Result<()> {
    let mut worker = Worker::start(settings()?).await?;
    for format in [Format::LabelStudio, Format::Coco] {
        for (wrong, exception) in exceptions() {
            let mut verifier = Verifier::new(worker, format, categories())?;
            let kind = wrong.shape.kind();
            // Alone, and beside something that the SDK knows.
            let right = region("s", "ant", boxed(1.0, 2.0, 3.0, 4.0));
            let records = [record(1, vec![wrong.clone()]), record(2, vec![wrong, right])];
            ensure!(verdicts(&mut verifier, &records).await? == vec![Verdict::Verified; 2], "{exception:?}");
            assert_eq!(verifier.report().by_us, [((kind, exception), 2)].into());
            assert_eq!(verifier.report().by_sdk, [("box", 1)].into());
            let parameters = verifier.report().parameters();
            assert_eq!(parameters["regions_by_us"], json!({kind: {exception.as_str(): 2}}));
            worker = verifier.into_worker();
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_a_size_there_is_nothing_to_give() -> anyhow::Result<()> {
    let mut verifier = verifier(settings()?, Format::LabelStudio).await?;
    let mut unsized_record = mixed(1);
    unsized_record.frame = None;
    unsized_record.regions.truncate(2);
    ensure!(verdicts(&mut verifier, &[unsized_record]).await? == [Verdict::Verified]);
    let expected = [(("box", Exception::NoSize), 1), (("polygon", Exception::NoSize), 1)].into();
    assert_eq!(verifier.report().by_us, expected);
    Ok(())
}

#[tokio::test]
async fn the_parameters_say_how_it_was_done() -> anyhow::Result<()> {
    let verifier = verifier(settings()?, Format::LabelStudio).await?;
    assert_eq!(verifier.report().sdk_version, "2.1.2");
    let parameters = verifier.report().parameters();
    assert_eq!(parameters["operation"], "ls_to_coco");
    assert_eq!(parameters["categories"]["R&B \"x\" <y>"], 2);
    assert_eq!(parameters["python_hash_seed"], 0);
    assert_eq!(parameters["label_config_sha256"].as_str().map(str::len), Some(64));
    Ok(())
}

#[tokio::test]
async fn the_numbers_of_the_file_are_what_the_sdk_is_given() -> anyhow::Result<()> {
    // 1000 × 500, as in the file: (100, 100), 300 × 50.
    let value =
        json!({"x": 10, "y": 20, "width": 30, "height": 10, "rotation": 0, "rectanglelabels": ["zebra"]});
    let original = json!([{"id": "r", "original_width": 1000, "original_height": 500, "value": value}]);
    let mut verifier = verifier(settings()?, Format::LabelStudio).await?;
    let right = record(1, vec![region("r", "zebra", boxed(100.0, 100.0, 300.0, 50.0))]);
    let misread = record(2, vec![region("r", "zebra", boxed(100.0, 100.0, 300.0, 50.00001))]);
    let candidates = [&right, &misread].map(|record| Candidate { record, original: Some(&original) });
    let verdicts = verifier.verify(&candidates).await?;
    let [Verdict::Verified, Verdict::Disagrees(found)] = verdicts.as_slice() else {
        anyhow::bail!("{verdicts:?}")
    };
    assert_eq!((found[0].what, found[0].got.as_str()), ("bbox", "50 px"));
    Ok(())
}

/// The SDK's result after `change`, Python code that has it as `result`.
async fn changed(format: Format, change: &str) -> anyhow::Result<Vec<Disagreement>> {
    let lying = Misbehaving::new(&format!(
        "
import json
def convert(request):
    output = real_convert(request)
    with open(output) as file:
        result = json.load(file)
    {change}
    with open(output, 'w') as file:
        json.dump(result, file)
    return output
conversion.convert = convert
"
    ))?;
    let mut verifier = lying.verifier(format).await?;
    let verdicts = verdicts(&mut verifier, &[mixed(1), mixed(2), mixed(3)]).await?;
    ensure!(verifier.report().disagreeing == 1, "{change}: {verdicts:?}");
    match verdicts.as_slice() {
        [Verdict::Verified, Verdict::Disagrees(found), Verdict::Verified] => Ok(found.clone()),
        other => anyhow::bail!("{change}: {other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_coco_result_is_told_of_record_and_region() -> anyhow::Result<()> {
    // The second record's annotations are 6 to 11: polygons r0, r2, r4, then boxes r1, r3, r5.
    for (change, what, region) in [
        ("result['annotations'][9]['bbox'][2] += 2e-6", "bbox", Some("r1")),
        ("result['annotations'][9]['bbox'][2] = float('nan')", "conversion", None),
        ("result['annotations'][7]['segmentation'][0][3] -= 2e-6", "polygon", Some("r2")),
        ("result['annotations'][7]['segmentation'][0].pop()", "polygon", Some("r2")),
        ("result['annotations'][7]['segmentation'] = []", "rings", Some("r2")),
        ("result['annotations'][6]['category_id'] = 1", "category", Some("r0")),
        ("result['annotations'][11]['category_id'] = 99", "category", Some("r5")),
        ("result['annotations'][6:8] = reversed(result['annotations'][6:8])", "category", Some("r0")),
        ("del result['annotations'][8]", "annotations", None),
        ("result['images'][1]['width'] = 500", "size", None),
        ("del result['images'][1]", "images", None),
        ("result['images'].append(result['images'][1])", "images", None),
    ] {
        if what == "conversion" {
            // NaN is no JSON: the SDK failed over all of them.
            ensure!(changed(Format::LabelStudio, change).await.is_err());
            continue;
        }
        let found = changed(Format::LabelStudio, change).await?;
        assert_eq!((found[0].what, found[0].item.region_id.as_deref()), (what, region), "{change}");
        let refusal = Refusal::from(found[0].clone());
        assert_eq!(refusal.code, RefusalCode::ConverterDisagrees);
        assert_eq!((refusal.item.task_id, refusal.item.annotation_id), (Some(2), Some(1002)));
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_label_studio_result_is_told_of_record_and_region() -> anyhow::Result<()> {
    let value = "result[1]['annotations'][0]['result']";
    for (change, what, region) in [
        (format!("{value}[1]['value']['x'] += 2e-7"), "box", Some("r1")),
        (format!("{value}[1]['value']['rotation'] = 5"), "rotation", Some("r1")),
        (format!("{value}[1]['value']['rectanglelabels'] = ['zebra']"), "labels", Some("r1")),
        (format!("{value}[0]['value']['points'][2][1] += 1"), "polygon", Some("r0")),
        (format!("{value}[0]['original_width'] = 999"), "size", Some("r0")),
        (format!("{value}.reverse()"), "kind", None),
        (format!("{value}.pop()"), "regions", None),
        ("result[1]['annotations'].append(result[0]['annotations'][0])".to_owned(), "annotations", None),
        ("del result[1]".to_owned(), "annotations", None),
    ] {
        let found = changed(Format::Coco, &change).await?;
        assert_eq!((found[0].what, found[0].item.region_id.as_deref()), (what, region), "{change}");
    }
    Ok(())
}

#[tokio::test]
async fn a_record_that_the_sdk_fails_over_does_not_take_others_with_it() -> anyhow::Result<()> {
    let failing = Misbehaving::new(
        "
def convert(request):
    if 'poison' in open(request.fields['input_path']).read():
        raise protocol.RequestError('conversion_failed', 'ValueError: poison', request.id)
    return real_convert(request)
conversion.convert = convert
",
    )?;
    let mut verifier = failing.verifier(Format::LabelStudio).await?;
    let mut records = simple_records(50);
    records[17].regions[0].id = "poison".to_owned();
    let verdicts = verdicts(&mut verifier, &records).await?;
    for (number, verdict) in verdicts.iter().enumerate() {
        ensure!((*verdict == Verdict::Verified) == (number != 17), "{number}: {verdict:?}");
    }
    assert_eq!((verifier.report().disagreeing, verifier.report().by_sdk["box"]), (1, 50));
    Ok(())
}
