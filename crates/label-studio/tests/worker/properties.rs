//! Shapes of every size and place, and many of them.

use std::time::Instant;

use annotations::{Format, Frame, FrameKind, Record, Region, Shape};
use anyhow::ensure;
use label_studio::Verdict;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::rig::{boxed, record, region, ring, settings, simple_records, verdicts, verifier};

fn shapes(width: f64, height: f64) -> impl Strategy<Value = Shape> {
    let point = move || (0.0..=width, 0.0..=height);
    let a_box = (point(), point()).prop_map(|((x, y), (u, v))| boxed(x, y, u, v));
    let whole = (0_u32..9000, 0_u32..9000)
        .prop_map(|(x, y)| boxed(f64::from(x), f64::from(y), f64::from(y), f64::from(x)));
    let a_ring = prop::collection::vec(point().prop_map(|(x, y)| [x, y]), 3..40);
    prop_oneof![a_box, whole, a_ring.prop_map(|points| ring(&points))]
}

fn records() -> impl Strategy<Value = Record> {
    let labels = prop::sample::select(vec!["zebra", "ant", "R&B \"x\" <y>", " två\n'\tords ", "$image", "0"]);
    (any::<u32>(), 1_u32..9000, 1_u32..9000).prop_flat_map(move |(number, width, height)| {
        let shapes = shapes(f64::from(width), f64::from(height));
        prop::collection::vec((labels.clone(), shapes), 0..6).prop_map(move |made| {
            let numbered =
                |(at, (label, shape)): (usize, (&str, Shape))| region(&at.to_string(), label, shape);
            let regions: Vec<Region> = made.into_iter().enumerate().map(numbered).collect();
            let frame = Some(Frame { width, height, kind: FrameKind::Displayed });
            Record { frame, ..record(i64::from(number), regions) }
        })
    })
}

#[tokio::test]
async fn random_boxes_and_polygons_are_what_the_sdk_makes_of_them() -> anyhow::Result<()> {
    // One request for all cases: the SDK's time is in the requests.
    let mut runner = TestRunner::default();
    let made = prop::collection::vec(records(), 200..201)
        .new_tree(&mut runner)
        .map_err(|reason| anyhow::anyhow!("{reason}"))?
        .current();
    for format in [Format::LabelStudio, Format::Coco] {
        let mut verifier = verifier(settings()?, format).await?;
        for (record, verdict) in made.iter().zip(verdicts(&mut verifier, &made).await?) {
            ensure!(verdict == Verdict::Verified, "{format}: {verdict:?}: {record:?}");
        }
        ensure!(verifier.report().by_sdk.values().sum::<u64>() > 200);
        ensure!(verifier.report().by_us.is_empty());
    }
    Ok(())
}

/// Not run with the others: it takes a minute. Prints the rate.
#[tokio::test]
#[ignore = "measures"]
async fn twenty_thousand_records_go_at_400_a_second() -> anyhow::Result<()> {
    let triangle: Vec<[f64; 2]> = (0..20).map(|at| [f64::from(at) * 3.7, f64::from(at * at)]).collect();
    let mut records = simple_records(20_000);
    for record in &mut records {
        let boxes = (0..4).map(|at| region(&format!("b{at}"), "ant", boxed(f64::from(at), 1.5, 20.0, 30.25)));
        record.regions.extend(boxes);
        let rings = ["p0", "p1"].map(|id| region(id, "zebra", ring(&triangle)));
        record.regions.extend(rings);
    }
    for format in [Format::LabelStudio, Format::Coco] {
        let mut verifier = verifier(settings()?, format).await?;
        let begun = Instant::now();
        let verdicts = verdicts(&mut verifier, &records).await?;
        let rate = 20_000.0 / begun.elapsed().as_secs_f64();
        ensure!(verdicts.iter().all(|verdict| *verdict == Verdict::Verified));
        let sdk = verifier.report().elapsed;
        let worker = verifier.into_worker();
        let process = worker.process_id().expect("it waits");
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let memory: Vec<_> = status.lines().filter(|line| line.starts_with("VmHWM")).collect();
        eprintln!("{format}: {rate:.0} records/s, SDK {sdk:?}, {} lives, {memory:?}", worker.lives());
        ensure!(rate >= 400.0, "{rate:.0} records/s");
    }
    Ok(())
}
