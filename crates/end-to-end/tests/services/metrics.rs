//! `/metrics` against docs/metrics.md.

use std::collections::{BTreeMap, BTreeSet};

use testkit::Scrape;
use types::RejectCode;

use crate::stand::{Program, Stand, stop, until_counted};
use testkit::photo;

/// What a label may be called. Datasets, keys and owners are for logs and the manifest store: their number has no bound.
const LABELS: [&str; 7] = ["stage", "ending", "reason", "step", "fate", "what", "le"];

/// A family as the page's table has it.
#[derive(Debug, PartialEq, Eq)]
struct Documented {
    kind: String,
    labels: BTreeSet<String>,
}

/// The rows of the page's tables: `| name | type | labels | meaning |`.
fn documented() -> BTreeMap<String, Documented> {
    let page = include_str!("../../../../docs/metrics.md");
    let words = |cell: &str| -> BTreeSet<String> {
        cell.split(',')
            .map(|word| word.trim().trim_matches('`').to_owned())
            .filter(|word| !word.is_empty())
            .collect()
    };
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `imageml_"));
    rows.filter_map(|row| {
        let mut cells = row.split('|').map(str::trim);
        let name = format!("imageml_{}", cells.next()?.trim_end_matches('`'));
        let kind = cells.next()?.to_owned();
        Some((name, Documented { kind, labels: words(cells.next()?) }))
    })
    .collect()
}

fn served(scrape: &Scrape) -> BTreeMap<String, Documented> {
    let families = scrape.families.iter().map(|(name, family)| {
        let labels = family.samples.iter().flat_map(|sample| sample.labels.keys());
        let labels = labels.filter(|label| *label != "le").cloned().collect();
        (name.clone(), Documented { kind: family.kind.clone(), labels })
    });
    families.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_service_serves_what_the_page_says_and_nothing_else() -> anyhow::Result<()> {
    let stand = Stand::on_moto().await?;
    for program in Program::ALL {
        let mut service = stand.start(program, &[])?;
        service.ready().await?;
        let scrape = service.metrics().await?;
        let ours = served(&scrape).into_iter().filter(|(name, _)| name.starts_with("imageml_"));
        assert_eq!(ours.collect::<BTreeMap<_, _>>(), documented(), "{program:?}");
        for (name, family) in &scrape.families {
            assert!(family.help.ends_with('.') && family.help.len() > 10, "{name}: {:?}", family.help);
            assert_eq!(name.ends_with("_total"), family.kind == "counter", "{name} is a {}", family.kind);
        }
        stop(service).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_series_is_there_from_the_start_and_work_adds_none() -> anyhow::Result<()> {
    let stand = Stand::on_moto().await?;
    let mut service = stand.start(Program::Ingest, &[])?;
    service.ready().await?;
    let series = |scrape: &Scrape| -> BTreeSet<String> {
        let samples = scrape.families.values().flat_map(|family| &family.samples);
        samples.map(|sample| format!("{} {:?}", sample.name, sample.labels)).collect()
    };
    let before = service.metrics().await?;
    let endings = &before.families["imageml_work_total"].samples;
    let endings: BTreeSet<_> = endings.iter().map(|sample| sample.labels["ending"].as_str()).collect();
    assert_eq!(
        endings,
        ["already_settled", "done", "handed_back", "ignored", "rejected", "retried"].into_iter().collect()
    );
    let reasons = &before.families["imageml_rejected_total"].samples;
    assert_eq!(reasons.len(), RejectCode::ALL.len());
    let counters = before.families.values().filter(|family| family.kind == "counter");
    assert!(
        counters.flat_map(|family| &family.samples).all(|sample| sample.value == 0.0),
        "nothing happened yet"
    );

    stand.put(&stand.object("inbox", "secret-dataset/secret-key.jpg"), photo(1, 160, 120)).await?;
    stand.put(&stand.object("inbox", "secret-dataset/bad.jpg"), "x").await?;
    for ending in ["done", "rejected"] {
        until_counted(&mut service, "imageml_work_total", &[("ending", ending)], 1.0).await?;
    }
    let after = service.metrics().await?;
    assert_eq!(series(&after), series(&before));
    for sample in after.families.values().flat_map(|family| &family.samples) {
        assert!(sample.labels.keys().all(|label| LABELS.contains(&label.as_str())), "{sample:?}");
        assert!(!format!("{sample:?}").contains("secret"), "{sample:?}");
    }
    stop(service).await?;
    Ok(())
}
