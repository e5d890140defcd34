//! Annotation records, imports and categories.

use std::time::{Duration, Instant};

use annotations::{CategoryDefinition, Format, Origin, Provenance, Record, RecordId, WantedCategory};
use anyhow::ensure;
use serde_json::{Map, json};
use types::{ObjectVersion, Sha256, StageName};

use super::fixtures::{SHORT, Store, dataset, owned, policy, publication, stage_key, uri};
use crate::{AnnotationImport, AnnotationLink, Effect};

fn record(name: &str, image: &str, updated_at: Option<&str>) -> Record {
    Record {
        id: RecordId::of(name),
        image: image.to_owned(),
        frame: None,
        origin: Origin::Human { annotator: Some("x\0y".to_owned()) },
        provenance: Provenance::LabelStudio { task_id: 1, annotation_id: 2, unique_id: None },
        created_at: None,
        updated_at: updated_at.map(str::to_owned),
        ground_truth: true,
        score: Some(0.1),
        regions: Vec::new(),
    }
}

fn import(file: &str, version: &str, categories: &[(Option<u32>, &str)]) -> AnnotationImport {
    let wanted = |(id, name): &(Option<u32>, &str)| WantedCategory {
        id: *id,
        definition: CategoryDefinition::named(*name),
    };
    AnnotationImport {
        id: Sha256::of(format!("{file}/{version}")),
        source: ObjectVersion { uri: uri(&format!("s3://inbox/{file}")), version: version.to_owned() },
        archive_uri: uri("s3://bronze/annotations/x.json"),
        archive_sha256: Sha256::of(version),
        annotation_format: Format::LabelStudio,
        converter_version: "2.1.2".to_owned(),
        conversion_parameters: Map::from_iter([("batch".to_owned(), json!(500))]),
        categories: categories.iter().map(wanted).collect(),
        summary: json!({ "records": 1 }),
    }
}

/// Puts the records and publishes the import.
async fn run(store: &Store, import: &AnnotationImport, records: &[Record]) -> anyhow::Result<()> {
    store.put_annotations(&dataset(), &import.id, records).await?;
    let key = stage_key(StageName::Ingest, &import.source.uri.to_string(), &import.source.version);
    let claim = owned(store, &key).await?;
    let effect = Effect::AnnotationsImported(Box::new(import.clone()));
    store.publish(&publication(&claim, vec![effect])).await?;
    Ok(())
}

async fn current(store: &Store) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut after: Option<RecordId> = None;
    loop {
        // A page of one: paging is part of the behaviour.
        let page = store.annotations(&dataset(), after.as_ref(), 1).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.record.id.clone());
        found.extend(page.into_iter().map(|stored| stored.record.image));
    }
    found.sort();
    Ok(found)
}

/// Records are there with the publication of their import and not before, and come back as they were put.
pub async fn annotations_count_once_their_import_is_published(store: Store) -> anyhow::Result<()> {
    let (file, one) = (import("a.json", "1", &[]), record("one", "lost", None));
    let later = record("one", "one.jpg", None);
    store.put_annotations(&dataset(), &file.id, &[one, later.clone()]).await?;
    store.put_annotations(&dataset(), &file.id, &[]).await?;
    ensure!(current(&store).await?.is_empty());
    ensure!(store.annotation_imports(&dataset(), None, 10).await?.is_empty());
    run(&store, &file, std::slice::from_ref(&later)).await?;
    let found = store.annotations(&dataset(), None, 10).await?;
    assert_eq!(found.iter().map(|stored| &stored.record).collect::<Vec<_>>(), [&later]);
    assert_eq!(found[0].import_id, file.id);
    let imports = store.annotation_imports(&dataset(), None, 10).await?;
    assert_eq!(imports.iter().map(|record| &record.import).collect::<Vec<_>>(), [&file]);
    ensure!(imports[0].active && imports[0].imported_at > 1_700_000_000);
    ensure!(store.annotation_imports(&dataset(), Some(imports[0].sequence), 10).await?.is_empty());
    ensure!(store.annotations(&"other".parse()?, None, 10).await?.is_empty());
    Ok(())
}

/// A newer state of a record replaces it, whichever file it comes in and whichever comes first.
pub async fn annotations_are_replaced_by_what_was_changed_last(store: Store) -> anyhow::Result<()> {
    let at = |image: &str, second: u32| record("one", image, Some(&format!("2026-01-01T00:00:0{second}Z")));
    run(&store, &import("b.json", "1", &[]), &[at("new", 2), record("undated", "first", None)]).await?;
    run(&store, &import("a.json", "1", &[]), &[at("old", 1), record("undated", "second", None)]).await?;
    assert_eq!(current(&store).await?, ["new", "second"]);
    let history = store.annotation_history(&dataset(), &RecordId::of("one")).await?;
    assert_eq!(history.iter().map(|stored| stored.record.image.as_str()).collect::<Vec<_>>(), ["old", "new"]);
    Ok(())
}

/// Another version of a file takes the place of the whole file; what is put back counts again.
pub async fn another_version_of_a_file_replaces_all_of_it(store: Store) -> anyhow::Result<()> {
    let first = import("a.json", "1", &[]);
    run(&store, &first, &[record("kept", "kept 1", None), record("removed", "removed", None)]).await?;
    run(&store, &import("b.json", "1", &[]), &[record("other", "other", None)]).await?;
    run(&store, &import("a.json", "2", &[]), &[record("kept", "kept 2", None)]).await?;
    assert_eq!(current(&store).await?, ["kept 2", "other"]);
    run(&store, &first, &[]).await?;
    assert_eq!(current(&store).await?, ["kept 1", "other", "removed"]);
    let active: Vec<_> =
        store.annotation_imports(&dataset(), None, 10).await?.iter().map(|record| record.active).collect();
    assert_eq!(active, [true, false, true]);
    Ok(())
}

/// Numbers of categories never move, also when imports come at once.
pub async fn categories_keep_their_numbers(store: Store) -> anyhow::Result<()> {
    run(&store, &import("a.json", "1", &[(Some(0), "raccoons"), (Some(1), "raccoon")]), &[]).await?;
    let files: Vec<_> =
        (0..8).map(|n| import(&format!("{n}.json"), "1", &[(None, "ant"), (Some(1), "zebra")])).collect();
    futures::future::try_join_all(files.iter().map(|file| run(&store, file, &[]))).await?;
    let registry = store.categories(&dataset()).await?;
    let numbers: Vec<_> =
        registry.by_id().iter().map(|found| (found.id, found.definition.name.clone())).collect();
    let expected = [(0, "raccoons"), (1, "raccoon"), (2, "zebra"), (3, "ant")];
    assert_eq!(numbers, expected.map(|(id, name)| (id, name.to_owned())));
    ensure!(store.categories(&"other".parse()?).await?.by_id().is_empty());
    Ok(())
}

/// Links are replaced by record, and paged.
pub async fn annotation_links_are_replaced_by_record(store: Store) -> anyhow::Result<()> {
    let link = |name: &str, key: &str| AnnotationLink {
        record_id: RecordId::of(name),
        image_key: key.to_owned(),
        image_uri: uri("s3://bronze/images/a"),
        staged_path: format!("{key}.jpg"),
    };
    store.link_annotations(&dataset(), &[link("1", "a"), link("2", "b")]).await?;
    store.link_annotations(&dataset(), &[link("2", "c")]).await?;
    store.link_annotations(&dataset(), &[]).await?;
    let first = store.annotation_links(&dataset(), None, 1).await?;
    let rest = store.annotation_links(&dataset(), first.last().map(|link| &link.record_id), 9).await?;
    let mut found = [first, rest].concat();
    found.sort_by(|one, other| one.image_key.cmp(&other.image_key));
    assert_eq!(found, [link("1", "a"), link("2", "c")]);
    Ok(())
}

/// An import is a change of the dataset: no time has been quiet that began before it.
pub async fn an_import_restarts_the_quiet_time(store: Store) -> anyhow::Result<()> {
    run(&store, &import("a.json", "1", &[]), &[]).await?;
    tokio::time::sleep(SHORT).await;
    let quiet = store.progress(&dataset(), &policy()).await?.quiet_for;
    ensure!(quiet >= SHORT, "{quiet:?}");
    let begun = Instant::now();
    run(&store, &import("a.json", "2", &[]), &[]).await?;
    let quiet = store.progress(&dataset(), &policy()).await?.quiet_for;
    // Clocks of the database have whole milliseconds.
    ensure!(quiet <= begun.elapsed() + Duration::from_millis(2), "{quiet:?}");
    Ok(())
}
