//! Objects that cannot be processed, and objects that do not stay.

use object_storage::BlobStore as _;
use testkit::Gate;
use types::{RejectCode, Sha256, StageName};

use crate::stand::{PATIENCE, Program, Stand, dataset, stop, until_at_rest, until_counted};
use testkit::photo;

fn poison() -> Vec<(&'static str, Vec<u8>, RejectCode)> {
    let whole = photo(1, 160, 120);
    // One gray pixel; the CRC of IHDR should be 3a7e9b55.
    let broken = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\xba\xd0\xba\xd0\
        \0\0\0\x0aIDAT\x78\x9c\x63\x60\0\0\0\x02\0\x01\x48\xaf\xa4\x71\0\0\0\0IEND\xae\x42\x60\x82";
    vec![
        (
            "random.jpg",
            (0..4096_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect(),
            RejectCode::NotAnImage,
        ),
        ("text.png", b"this is no picture".to_vec(), RejectCode::NotAnImage),
        ("half.jpg", whole.iter().copied().take(whole.len() / 2).collect(), RejectCode::Truncated),
        ("empty.jpg", Vec::new(), RejectCode::Empty),
        (
            "drawing.svg",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            RejectCode::UnsupportedFormat,
        ),
        ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(), RejectCode::UnsupportedFormat),
        ("broken.png", broken.to_vec(), RejectCode::Corrupt),
        ("bomb.jpg", bomb(&whole), RejectCode::LimitExceeded),
    ]
}

/// The same file with a header (SOF0) that promises 65,500 x 65,500 pixels.
fn bomb(photo: &[u8]) -> Vec<u8> {
    let start = photo.windows(2).position(|marker| marker == [0xff, 0xc0]).expect("a baseline JPEG");
    let mut bomb = photo.to_vec();
    // After the marker: two bytes of length, one of precision, then height and width.
    bomb.splice(start + 5..start + 9, [0xff, 0xdc, 0xff, 0xdc]);
    bomb
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_is_rejected_with_its_reason_and_the_service_lives() -> anyhow::Result<()> {
    let stand = Stand::on_moto().await?;
    let poison = poison();
    for (key, content, _) in &poison {
        stand.put(&stand.object("inbox", &format!("ds/{key}")), content.clone()).await?;
    }
    let mut service = stand.start(Program::Ingest, &[])?;
    let count = poison.len() as f64;
    until_counted(&mut service, "imageml_work_total", &[("ending", "rejected")], count).await?;
    let rejected = stand.store.rejected(&dataset("ds"), None, 100).await?;
    assert_eq!(rejected.len(), poison.len());
    let metrics = service.metrics().await?;
    for (key, _, code) in &poison {
        let uri = stand.object("inbox", &format!("ds/{key}"));
        let found = rejected.iter().find(|found| found.key.object.uri == uri);
        let found = found.map(|found| (found.reason.code, found.attempts));
        assert_eq!(found, Some((*code, 1)), "{key}: {rejected:#?}");
        assert!(metrics.value("imageml_rejected_total", &[("reason", code.as_str())]) >= 1.0, "{code}");
    }
    assert_eq!(stand.list(&stand.bucket("bronze")).await?, [], "nothing of it goes on");

    stand.put(&stand.object("inbox", "ds/good.jpg"), photo(2, 160, 120)).await?;
    until_counted(&mut service, "imageml_work_total", &[("ending", "done")], 1.0).await?;
    until_at_rest(&mut service).await?;
    let service = stop(service).await?;
    assert_eq!(service.complaints(), Vec::<String>::new(), "bad input is not the operator's trouble");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_that_change_before_their_turn_are_left_to_their_successors() -> anyhow::Result<()> {
    const FILLING: u64 = 100;
    let stand = Stand::on_moto().await?;
    let photos = (0..FILLING).map(|n| (stand.object("inbox", &format!("ds/{n:03}.jpg")), photo(n, 160, 120)));
    stand.put_all(photos).await?;
    let deleted = stand.object("inbox", "ds/z-deleted.jpg");
    let replaced = stand.object("inbox", "ds/z-replaced.jpg");
    for uri in [&deleted, &replaced] {
        stand.put(uri, photo(500, 160, 120)).await?;
    }
    let first = stand.blobs.head(&replaced).await?.object;

    let gate = Gate::before(stand.endpoint()).await?;
    let arguments = ["--slots", "1", "--lease", "1h"];
    let mut service = stand.start_through(gate.endpoint(), Program::Ingest, &arguments)?;
    // The listing is in memory once the first is done; the one slot is then kept busy at the gate.
    until_counted(&mut service, "imageml_work_total", &[("ending", "done")], 1.0).await?;
    gate.shut();
    let before = service.metrics().await?.value("imageml_work_total", &[("ending", "done")]);
    assert!(before < FILLING as f64, "the gate came too late: {before} are done");
    stand.blobs.delete(&deleted).await?;
    let successor = photo(501, 160, 120);
    stand.put(&replaced, successor.clone()).await?;
    gate.open();

    let original = testkit::until("the successor is catalogued", PATIENCE, async || {
        let originals = stand.store.originals(&dataset("ds"), None, 1000).await?;
        Ok(originals.into_iter().find(|original| original.key == "z-replaced.jpg"))
    })
    .await?;
    assert_eq!(original.sha256, Sha256::of(&successor));
    assert_ne!(original.source, first);
    let metrics = service.metrics().await?;
    assert_eq!(metrics.value("imageml_work_total", &[("ending", "ignored")]), 2.0);
    assert_eq!(metrics.value("imageml_work_total", &[("ending", "rejected")]), 0.0);
    let originals = stand.store.originals(&dataset("ds"), None, 1000).await?;
    assert_eq!(originals.len() as u64, FILLING + 1, "all but the deleted one");
    assert_eq!(stand.claim(StageName::Ingest, &deleted).await?.attempts, 0, "handed back, not failed");
    stop(service).await?;
    Ok(())
}
