//! Object keys that are no good as paths, URLs or database text.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use manifest_store::{ClaimStatus, Settlement};
use object_storage::BlobStore as _;
use types::{RejectCode, S3Uri, Sha256, StageName, layout};

use crate::stand::{Program, Stand, dataset, stop, until_at_rest, until_counted};
use testkit::photo;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Processed,
    /// In quarantine with this reason.
    Rejected(RejectCode),
    /// Counted and left alone: it belongs to no dataset, or is a desktop's litter or a folder marker.
    Ignored,
}

use Fate::{Ignored, Processed, Rejected};

fn keys() -> Vec<(String, Fate)> {
    let mut keys: Vec<_> = [
        ("ds/../x.jpg", Processed),
        ("ds/../../etc/passwd.jpg", Processed),
        ("ds/../../../../../../../../../../tmp/escaped.jpg", Processed),
        ("ds/./x.jpg", Processed),
        ("ds//abs.jpg", Processed),
        ("ds///x.jpg", Processed),
        ("ds/a.jpg", Processed),
        ("ds/a.jpg/b.jpg", Processed),
        ("ds/a.jpg/b.jpg/c.jpg", Processed),
        ("ds/caf\u{e9}.jpg", Processed),
        ("ds/cafe\u{301}.jpg", Processed),
        ("ds/a%2Fb.jpg", Processed),
        ("ds/%00.jpg", Processed),
        ("ds/100%.jpg", Processed),
        ("ds/with space.jpg", Processed),
        ("ds/ edge .jpg ", Processed),
        ("ds/a+b.jpg", Processed),
        ("ds/new\nline.jpg", Processed),
        ("ds/return\rtab\tbell\u{7}.jpg", Processed),
        ("ds/new\\u{a}line.jpg", Processed),
        ("ds/back\\slash.jpg", Processed),
        ("ds/..jpg", Processed),
        ("ds/...", Processed),
        ("ds/..", Processed),
        ("ds/with content/", Processed),
        ("ds/\u{1f600} 漢字.jpg", Processed),
        ("ds/\u{202e}gpj.exe", Processed),
        ("ds/\u{feff}bom", Processed),
        ("ds/a?b#c&d=e;f:g*h<i>\"j'k|l.jpg", Processed),
        ("ds/images/x.jpg", Processed),
        ("ds/manifests/ingest/x.json", Processed),
        ("ds/CON", Processed),
        ("ds/nul\0byte.jpg", Rejected(RejectCode::InvalidKey)),
        ("ds/marker/", Ignored),
        ("ds/.DS_Store", Ignored),
        ("ds/folder/._x.jpg", Ignored),
        ("ds/.Trash/x.jpg", Ignored),
        ("../x.jpg", Ignored),
        ("../../etc/passwd.jpg", Ignored),
        ("/abs.jpg", Ignored),
        ("//abs.jpg", Ignored),
        ("top.jpg", Ignored),
        ("No Dataset/x.jpg", Ignored),
        ("nul\0/x.jpg", Ignored),
        ("ds", Ignored),
    ]
    .map(|(key, fate)| (key.to_owned(), fate))
    .into();
    keys.push((filled("ds/", 'k', 1_000), Processed));
    keys.push((filled("ds/", 'ü', 999), Processed));
    keys.push((filled("ds/deep/", '/', 1_000), Processed));
    // Bronze keys are longer by `images/` and a digest: these two do not fit in S3's 1,024 bytes there.
    keys.push((filled("ds/", 'x', 1_024), Rejected(RejectCode::InvalidKey)));
    keys.push((filled("ds/", '\0', 1_024), Rejected(RejectCode::InvalidKey)));
    keys
}

/// A key of `bytes` bytes.
fn filled(start: &str, with: char, bytes: usize) -> String {
    let mut key = start.to_owned();
    while key.len() + with.len_utf8() + "!.jpg".len() <= bytes {
        key.push(with);
    }
    key.push_str("!.jpg");
    key
}

/// Everything below a folder, the staging area excepted.
fn outside_of_nvme(folder: &Path, nvme: &Path) -> BTreeSet<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).into_iter().filter_entry(|entry| entry.path() != nvme);
    entries.flatten().map(walkdir::DirEntry::into_path).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_ends_processed_or_refused_and_nothing_is_written_outside_of_nvme() -> anyhow::Result<()> {
    let stand = Stand::on_local_cloud().await?;
    let keys = keys();
    let content = |index: usize, key: &str| match key {
        "ds/marker/" => Vec::new(),
        // An exact duplicate under a key that looks the same once control characters are escaped.
        "ds/new\\u{a}line.jpg" => photo(1_000, 48, 48),
        "ds/new\nline.jpg" => photo(1_000, 48, 48),
        _ => photo(index as u64, 48, 48),
    };
    for (index, (key, _)) in keys.iter().enumerate() {
        stand.put(&stand.object("inbox", key), content(index, key)).await?;
    }
    let before = outside_of_nvme(stand.folder(), &stand.nvme());
    let outside = ["/etc/passwd.jpg", "/tmp/escaped.jpg", "/abs.jpg", "/x.jpg"];
    assert!(outside.iter().all(|path| !Path::new(path).exists()), "left by another run: {outside:?}");

    let mut ingest = stand.start(Program::Ingest, &[])?;
    let mut normalize = stand.start(Program::Normalize, &["--sizes", "32x32"])?;
    let processed = keys.iter().filter(|(_, fate)| *fate == Processed).count() as u64;
    stand.normalized(&dataset("ds"), processed).await?;
    let rejected = keys.iter().filter(|(_, fate)| matches!(fate, Rejected(_))).count() as f64;
    until_counted(&mut ingest, "imageml_work_total", &[("ending", "rejected")], rejected).await?;
    let ignored = keys.iter().filter(|(_, fate)| *fate == Ignored).count() as f64;
    assert_eq!(ingest.metrics().await?.value("imageml_work_total", &[("ending", "ignored")]), ignored);
    for (index, (key, fate)) in keys.iter().enumerate() {
        ended_as(&stand, key, &content(index, key), *fate).await?;
    }

    // Alive, and as able as before.
    stand.put(&stand.object("inbox", "ds/afterwards.jpg"), photo(9_999, 48, 48)).await?;
    stand.normalized(&dataset("ds"), processed + 1).await?;
    for service in [&mut ingest, &mut normalize] {
        until_at_rest(service).await?;
        assert_eq!(service.complaints(), Vec::<String>::new());
    }
    assert_eq!(outside_of_nvme(stand.folder(), &stand.nvme()), before);
    assert!(outside.iter().all(|path| !Path::new(path).exists()));
    stop(ingest).await?;
    stop(normalize).await?;
    assert_eq!(outside_of_nvme(stand.folder(), &stand.nvme()), before);
    Ok(())
}

async fn ended_as(stand: &Stand, key: &str, content: &[u8], fate: Fate) -> anyhow::Result<()> {
    let uri = stand.object("inbox", key);
    let name = dataset("ds");
    match fate {
        Processed => {
            let relative = key.strip_prefix("ds/").expect("only these are processed");
            let bronze = layout::bronze_image(&stand.bucket("bronze"), &name, relative, &Sha256::of(content));
            assert_eq!(stand.blobs.read(&bronze, 1 << 20).await?, content, "{key:?}");
            for (stage, uri) in [(StageName::Ingest, &uri), (StageName::Normalize, &bronze)] {
                let claim = stand.claim(stage, uri).await?;
                assert_eq!(claim.status, ClaimStatus::Settled(Settlement::Done), "{key:?} at {stage}");
            }
            let originals = stand.store.originals(&name, None, 1000).await?;
            let original = originals.iter().find(|found| found.key == relative);
            assert_eq!(original.map(|found| found.sha256), Some(Sha256::of(content)), "{key:?}");
        }
        Rejected(code) => {
            let rejected = stand.store.rejected(&name, None, 1000).await?;
            let version = stand.blobs.head(&uri).await?.object.version;
            let found = rejected.iter().find(|found| found.key.object.version == version);
            assert_eq!(found.map(|found| found.reason.code), Some(code), "{key:?}");
        }
        Ignored => {
            let known = stand.store.processed(StageName::Ingest, &storable(&uri)).await?;
            assert_eq!(known.len(), 0, "{key:?}");
        }
    }
    Ok(())
}

/// No question to Postgres may hold a NUL.
fn storable(uri: &S3Uri) -> S3Uri {
    S3Uri::new(uri.bucket().clone(), uri.key().replace('\0', "\\u{0}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_moto_holds_end_the_same_there() -> anyhow::Result<()> {
    let stand = Stand::on_moto().await?;
    let relative = [
        "a+b c.jpg",
        "a%2Fb.jpg",
        "caf\u{e9}.jpg",
        "cafe\u{301}.jpg",
        "..jpg",
        "a.jpg",
        "a.jpg/b.jpg",
        "\u{1f600}.jpg",
    ];
    for (index, key) in relative.iter().enumerate() {
        stand.put(&stand.object("inbox", &format!("ds/{key}")), photo(index as u64, 48, 48)).await?;
    }
    let ingest = stand.start(Program::Ingest, &[])?;
    let normalize = stand.start(Program::Normalize, &["--sizes", "32x32"])?;
    stand.normalized(&dataset("ds"), relative.len() as u64).await?;
    let originals = stand.store.originals(&dataset("ds"), None, 100).await?;
    let kept: BTreeSet<_> = originals.into_iter().map(|original| original.key).collect();
    assert_eq!(kept, relative.iter().map(|key| (*key).to_owned()).collect());
    stop(ingest).await?;
    stop(normalize).await?;
    Ok(())
}
