//! What dead services left in the staging area, and what must not be taken for it.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use uuid::Uuid;

use crate::{Random, Rig, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);

/// A staging area as it may be found.
struct Found {
    dead: Vec<PathBuf>,
    /// The folder of a live sibling, and its lock.
    sibling: (PathBuf, File),
    strangers: Vec<PathBuf>,
    /// Outside; links lead here.
    precious: PathBuf,
}

/// S-42.
pub(super) async fn start_among_them(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let found = prepare(rig)?;
    let begun = Instant::now();
    let mut pods = vec![rig.ingest().start()?, rig.ingest().start()?];
    for pod in &mut pods {
        pod.ready().await?;
    }
    testkit::until("the dead are gone", Duration::from_secs(10), async || {
        Ok((!found.dead.iter().any(|path| is_there(path))).then_some(()))
    })
    .await?;
    ensure!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    ensure!(found.sibling.0.join("input/held").is_file(), "a file of a live sibling is gone");
    for path in found.strangers.iter().chain([&found.precious]) {
        ensure!(fs::read(path)? == b"untouched", "{} is not as it was", path.display());
    }
    rig.put_and_tell(0, 60).await?;
    rig.until_settled(60, PATIENCE).await?;
    // Its process is gone now, and the next service that starts removes its folder.
    drop(found.sibling.1);
    found.strangers.iter().try_for_each(fs::remove_file)?;
    rig.probe().await?;
    let verdict = rig.check(pods, 0).await?;
    ensure!(!is_there(&found.sibling.0), "the sibling's folder stays for ever");
    Ok(verdict)
}

/// Also of a link that leads nowhere.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Ten dead instances with 500 files each, and one of each oddity.
fn prepare(rig: &Rig) -> anyhow::Result<Found> {
    let (root, mut random) = (rig.nvme(), rig.random());
    let precious = rig.folder().join("precious/file");
    fs::create_dir_all(precious.parent().context("a folder")?)?;
    fs::write(&precious, b"untouched")?;
    let mut dead = Vec::new();
    for _ in 0..10 {
        let folder = root.join(name(&mut random));
        instance(&folder, 500)?;
        File::create(folder.join("LOCK"))?;
        dead.push(folder);
    }
    let folder = dead.first().context("ten were made")?;
    symlink(&precious, folder.join("input/link-to-a-file"))?;
    symlink(precious.parent().context("a folder")?, folder.join("work/link-to-a-folder"))?;
    symlink("/nowhere", folder.join("output/link-to-nowhere"))?;

    // Died before its lock was made, and in the middle of being removed.
    let young = root.join(name(&mut random));
    instance(&young, 1)?;
    let aside = root.join(format!(".dead-{}", name(&mut random)));
    instance(&aside, 20)?;
    // Looks like an instance and leads out of the area.
    let leading_out = root.join(name(&mut random));
    symlink(precious.parent().context("a folder")?, &leading_out)?;
    dead.extend([young, aside, leading_out]);

    let living = root.join(name(&mut random));
    instance(&living, 5)?;
    fs::write(living.join("input/held"), b"held")?;
    let lock = File::create(living.join("LOCK"))?;
    lock.try_lock()?;

    let strangers =
        [root.join("notes.txt"), root.join("lost+found/inode"), root.join("not-an-instance/input/file")];
    for path in &strangers {
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::write(path, b"untouched")?;
    }
    Ok(Found { dead, sibling: (living, lock), strangers: strangers.into(), precious })
}

/// As services name their folders.
fn name(random: &mut Random) -> String {
    Uuid::from_u64_pair(random.draw(), random.draw()).to_string()
}

/// Folders and files of an instance; half of the files are empty.
fn instance(folder: &Path, files: usize) -> anyhow::Result<()> {
    for inner in ["input", "work/item.0/deep/deeper", "output", "cache"] {
        fs::create_dir_all(folder.join(inner))?;
    }
    for number in 0..files {
        let place = ["input", "work/item.0/deep/deeper", "output"][number % 3];
        let content: &[u8] = if number % 2 == 0 { b"" } else { b"half a picture" };
        fs::write(folder.join(place).join(format!("{number}.tmp")), content)?;
    }
    Ok(())
}
