use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use types::{Disposition, ObjectVersion, RejectCode, S3Uri, StageName};

use super::*;

const MIB: u64 = 1 << 20;

fn item(key: &str) -> ItemName {
    let uri = S3Uri::new("inbox".parse().expect("a bucket"), key);
    ItemName::new(StageName::Ingest, &ObjectVersion { uri, version: "v1".to_owned() })
}

fn config(root: &TempDir, quota: u64) -> StagingConfig {
    StagingConfig { root: root.path().to_owned(), quota: Some(quota), min_free: 0 }
}

async fn area(root: &TempDir, quota: u64) -> StagingArea {
    StagingArea::open(config(root, quota)).await.expect("the area opens")
}

/// An area on a disk of 1 GiB whose free space the test sets.
async fn on_disk(root: &TempDir, free: &Arc<AtomicU64>, min_free: u64) -> StagingArea {
    let config = StagingConfig { root: root.path().to_owned(), quota: None, min_free };
    let free = Arc::clone(free);
    let probe = move |_: &Path| Ok(DiskSpace { total: 1024 * MIB, free: free.load(Ordering::SeqCst) });
    StagingArea::open_on(config, Box::new(probe)).await.expect("the area opens")
}

/// Starts admitting, and lets it run until it waits or is done.
async fn start(
    area: &StagingArea,
    key: &'static str,
    bytes: u64,
    admitted: &mpsc::UnboundedSender<(&'static str, Workspace)>,
) -> tokio::task::JoinHandle<()> {
    let (area, admitted) = (area.clone(), admitted.clone());
    let task = tokio::spawn(async move {
        let workspace = area.admit(&item(key), bytes).await.expect("admitted in the end");
        admitted.send((key, workspace)).expect("the test listens");
    });
    settle().await;
    task
}

/// On the single-threaded test runtime every task that can run has run after a few yields.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

fn files_below(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).expect("a directory").flatten() {
        if entry.path().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

#[tokio::test]
async fn waiting_items_are_admitted_in_the_order_of_asking() {
    let root = TempDir::new().expect("a directory");
    let area = area(&root, 100).await;
    let first = area.admit(&item("first"), 80).await.expect("fits");
    let (sender, mut admitted) = mpsc::unbounded_channel();
    // The big one is at the head: the small ones behind it would fit, and wait all the same.
    for (key, bytes) in [("big", 90), ("small", 5), ("smaller", 4)] {
        start(&area, key, bytes, &sender).await;
    }
    assert!(admitted.try_recv().is_err());
    assert_eq!(area.reserved(), 80);

    drop(first);
    let mut order = Vec::new();
    let mut held = Vec::new();
    for _ in 0..3 {
        let (key, workspace) = admitted.recv().await.expect("admitted");
        order.push(key);
        held.push(workspace);
    }
    assert_eq!(order, ["big", "small", "smaller"]);
    assert_eq!(area.reserved(), 99);
    drop(held);
    assert_eq!(area.reserved(), 0);
}

#[tokio::test]
async fn a_cancelled_head_leaves_the_queue_and_reserves_nothing() {
    let root = TempDir::new().expect("a directory");
    let area = area(&root, 100).await;
    let held = area.admit(&item("held"), 60).await.expect("fits");
    let (sender, mut admitted) = mpsc::unbounded_channel();
    let head = start(&area, "head", 90, &sender).await;
    start(&area, "next", 40, &sender).await;
    assert!(admitted.try_recv().is_err());

    head.abort();
    assert!(head.await.expect_err("aborted").is_cancelled());
    let (key, next) = admitted.recv().await.expect("the next has its turn");
    assert_eq!((key, area.reserved()), ("next", 100));
    drop((held, next));
    assert_eq!(area.reserved(), 0);
}

#[tokio::test]
async fn an_item_larger_than_the_capacity_is_refused_at_once() {
    let root = TempDir::new().expect("a directory");
    let area = area(&root, 100).await;
    assert_eq!(area.capacity(), 100);
    let _all = area.admit(&item("all"), 100).await.expect("exactly the capacity fits");
    let error = area.admit(&item("large"), 101).await.expect_err("never fits");
    assert!(matches!(error, StagingError::TooLarge { needed: 101, capacity: 100 }), "{error}");
    match error.disposition() {
        Disposition::Reject(reason) => assert_eq!(reason.code, RejectCode::TooLarge),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn growing_is_immediate_or_refused() {
    let root = TempDir::new().expect("a directory");
    let area = area(&root, 100).await;
    let mut one = area.admit(&item("one"), 50).await.expect("fits");
    let other = area.admit(&item("other"), 30).await.expect("fits");
    let error = one.grow(21).expect_err("20 are left");
    assert!(matches!(error, StagingError::NoSpace { needed: 21, available: 20 }), "{error}");
    assert!(matches!(error.disposition(), Disposition::Outage { .. }));
    one.grow(20).expect("exactly what is left");
    assert_eq!((one.reserved(), area.reserved()), (70, 100));
    let error = one.grow(31).expect_err("more than there is");
    assert!(matches!(error, StagingError::TooLarge { needed: 101, capacity: 100 }), "{error}");
    drop((one, other));
    assert_eq!(area.reserved(), 0);
}

#[tokio::test]
async fn dropping_a_workspace_removes_its_files_and_no_others() {
    let root = TempDir::new().expect("a directory");
    let area = area(&root, 100).await;
    // The same object twice, as a redelivery may have it.
    let first = area.admit(&item("same"), 10).await.expect("fits");
    let second = area.admit(&item("same"), 10).await.expect("fits");
    let name = "out.jpg".parse().expect("a file name");
    for workspace in [&first, &second] {
        std::fs::write(workspace.input(), "in").expect("written");
        std::fs::write(workspace.output(&name).expect("made"), "out").expect("written");
        let deep = workspace.work_dir().expect("made").join("deep");
        std::fs::create_dir(&deep).expect("made");
        std::fs::write(deep.join("file"), "tmp").expect("written");
    }
    // Asking again is no error.
    let (output, work) = (second.output(&name).expect("there"), second.work_dir().expect("there"));
    let kept = [second.input(), output, work.join("deep/file")];
    drop(first);
    assert!(kept.iter().all(|path| path.is_file()));
    drop(second);
    // The instance's own lock and the root's are all that is left.
    assert_eq!(files_below(root.path()).len(), 2);
    drop(area);
    assert_eq!(files_below(root.path()), [root.path().join(".lock")]);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_others_filled_makes_items_wait_until_it_has_room() {
    let root = TempDir::new().expect("a directory");
    let free = Arc::new(AtomicU64::new(150 * MIB));
    let area = on_disk(&root, &free, 100 * MIB).await;
    assert_eq!(area.capacity(), 924 * MIB);
    let (sender, mut admitted) = mpsc::unbounded_channel();
    start(&area, "item", 60 * MIB, &sender).await;
    tokio::time::sleep(10 * DISK_RECHECK).await;
    assert!(admitted.try_recv().is_err(), "the floor of 100 MiB leaves 50");

    // Nothing of ours is released: only looking again can find the space.
    free.store(160 * MIB, Ordering::SeqCst);
    let (_, workspace) = tokio::time::timeout(Duration::from_secs(5), admitted.recv())
        .await
        .expect("in time")
        .expect("admitted");
    assert_eq!(workspace.reserved(), 60 * MIB);
}

#[tokio::test]
async fn what_is_promised_but_not_written_is_not_promised_again() {
    let root = TempDir::new().expect("a directory");
    let free = Arc::new(AtomicU64::new(100 * MIB));
    let area = on_disk(&root, &free, 0).await;
    let mut first = area.admit(&item("first"), 60 * MIB).await.expect("fits");
    let error = first.grow(41 * MIB).expect_err("40 are left");
    let left = 100 * MIB - 60 * MIB;
    // The directories themselves take a few blocks of the reservation.
    assert!(
        matches!(error, StagingError::NoSpace { available, .. } if available.abs_diff(left) < MIB),
        "{error}"
    );

    // Written bytes leave the free space and the promise alike.
    std::fs::write(first.input(), vec![1; 8 * MIB as usize]).expect("written");
    free.store(92 * MIB, Ordering::SeqCst);
    let error = first.grow(41 * MIB).expect_err("40 are left");
    assert!(
        matches!(error, StagingError::NoSpace { available, .. } if available.abs_diff(left) < MIB),
        "{error}"
    );
}

#[tokio::test]
async fn below_the_minimum_is_not_ready_and_says_what_to_do() {
    let root = TempDir::new().expect("a directory");
    let config = StagingConfig { min_free: u64::MAX, ..config(&root, 100) };
    let area = StagingArea::open(config).await.expect("opens all the same");
    let error = area.readiness().expect_err("no disk has that much");
    assert!(matches!(error, StagingError::BelowMinimum { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("NVME_MIN_GB") && text.contains(&root.path().display().to_string()), "{text}");
    assert_eq!(area.capacity(), 0);
}

#[tokio::test]
async fn an_area_that_cannot_be_written_is_not_ready() {
    let root = TempDir::new().expect("a directory");
    let area = area(&root, 100).await;
    area.readiness().expect("ready");
    // Root may write read-only directories, so the directory goes away instead.
    std::fs::remove_dir_all(root.path()).expect("removed");
    let error = area.readiness().expect_err("gone");
    assert!(matches!(error, StagingError::Unwritable { .. } | StagingError::Io { .. }), "{error}");
}

#[tokio::test]
async fn a_root_that_is_a_file_is_an_error_with_its_path() {
    let root = TempDir::new().expect("a directory");
    let file = root.path().join("file");
    std::fs::write(&file, "").expect("written");
    let config = StagingConfig { root: file.clone(), ..config(&root, 1) };
    let error = StagingArea::open(config).await.expect_err("not a directory");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}

mod sweeping {
    use super::*;

    fn entries(root: &TempDir) -> Vec<String> {
        let names = std::fs::read_dir(root.path()).expect("the root").flatten();
        let mut names: Vec<_> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// What a killed instance leaves: everything but the lock.
    fn dead(root: &TempDir, name: &str) {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.join("input")).expect("made");
        std::fs::write(path.join("LOCK"), "").expect("written");
        std::fs::write(path.join("input/left"), "over").expect("written");
    }

    #[tokio::test]
    async fn dead_instances_are_removed_and_live_ones_and_strangers_are_not() {
        let root = TempDir::new().expect("a directory");
        let live = area(&root, 100).await;
        let workspace = live.admit(&item("live"), 10).await.expect("fits");
        std::fs::write(workspace.input(), "data").expect("written");
        dead(&root, "00000000-0000-4000-8000-000000000001");
        dead(&root, ".dead-00000000-0000-4000-8000-000000000002");
        // Its maker died before the lock file.
        std::fs::create_dir(root.path().join("00000000-0000-4000-8000-000000000003")).expect("made");
        for stranger in ["lost+found", "00000000000040008000000000000004", ".dead-x", "notes.txt"] {
            dead(&root, stranger);
        }

        let newcomer = area(&root, 100).await;
        let left = entries(&root);
        for stranger in ["lost+found", "00000000000040008000000000000004", ".dead-x", "notes.txt", ".lock"] {
            assert!(left.contains(&stranger.to_owned()), "{stranger} was removed: {left:?}");
        }
        assert_eq!(left.len(), 5 + 2, "{left:?}");
        assert_eq!(std::fs::read(workspace.input()).expect("still there"), b"data");
        drop((workspace, live, newcomer));
        assert_eq!(entries(&root).len(), 5);
    }

    #[tokio::test]
    async fn an_instance_of_another_process_lives_until_that_process_ends() {
        let root = TempDir::new().expect("a directory");
        let sibling = "00000000-0000-4000-8000-00000000000a";
        dead(&root, sibling);
        let lock = root.path().join(sibling).join("LOCK");
        // flock(1) holds the lock while its command runs; the command answers and then waits for its input.
        let mut holder = tokio::process::Command::new("flock")
            .arg(&lock)
            .args(["sh", "-c", "echo held; read line"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("flock(1) of util-linux");
        let mut answer = [0; 5];
        let mut stdout = holder.stdout.take().expect("piped");
        tokio::io::AsyncReadExt::read_exact(&mut stdout, &mut answer).await.expect("an answer");
        assert_eq!(&answer, b"held\n");

        drop(area(&root, 1).await);
        assert!(lock.is_file());
        drop(holder.stdin.take());
        holder.wait().await.expect("it ends");
        drop(area(&root, 1).await);
        assert_eq!(entries(&root), [".lock"]);
    }

    #[tokio::test]
    async fn many_instances_starting_at_once_do_not_remove_each_other() {
        let root = TempDir::new().expect("a directory");
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..16 {
            opening.spawn(StagingArea::open(config(&root, 100)));
        }
        let areas = opening.join_all().await;
        for area in &areas {
            let area = area.as_ref().expect("opens");
            let workspace = area.admit(&item("x"), 1).await.expect("its directory is there");
            std::fs::write(workspace.input(), "x").expect("written");
        }
        assert_eq!(entries(&root).len(), 16 + 1);
    }
}

mod names {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_key_leads_out_of_the_instance(key in "(\\.\\./|/|\\\\|\0|\\PC){0,60}", version in "(\\.\\./|.){0,8}") {
            let instance = Path::new("/mnt/nvme/instance");
            let uri = S3Uri::new("inbox".parse().expect("a bucket"), key);
            let item = ItemName::new(StageName::Normalize, &ObjectVersion { uri, version });
            let (_, paths) = Ledger::default().enter(instance, &item, 1);
            for path in paths.all() {
                let below = path.strip_prefix(instance).expect("below the instance");
                let parts: Vec<_> = below.components().collect();
                prop_assert_eq!(parts.len(), 2);
                prop_assert!(parts.iter().all(|part| matches!(part, std::path::Component::Normal(_))));
                prop_assert!(path.as_os_str().len() < 100);
            }
        }
    }
}

#[tokio::test]
async fn looks_at_the_disk_at_the_same_time_do_not_disturb_each_other() {
    let root = TempDir::new().expect("a directory");
    let area = area(&root, MIB).await;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| area.readiness().expect("nothing is wrong with the disk")));
        }
    });
}
