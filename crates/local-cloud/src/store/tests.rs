//! The store below the server: what survives a kill, where objects lie, how listings stay correct and quick.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{Mount, keys};

const BUCKET: &str = "bucket";

struct Scene {
    root: TempDir,
    store: Store,
}

impl Scene {
    fn new() -> anyhow::Result<Self> {
        let root = tempfile::tempdir()?;
        let store = open(root.path())?;
        Ok(Self { root, store })
    }

    fn folder(&self) -> Arc<Bucket> {
        self.store.bucket(BUCKET).expect("created at start")
    }

    fn put(&self, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
        put(&self.store, key, bytes)
    }

    fn path_of(&self, key: &str) -> anyhow::Result<String> {
        let path = self.folder().path_of(key)?.with_context(|| format!("{key:?} is stored"))?;
        let root = self.root.path().canonicalize()?;
        Ok(path.strip_prefix(root)?.to_str().context("UTF-8")?.to_owned())
    }

    fn keys(&self) -> anyhow::Result<Vec<String>> {
        keys(&self.folder(), "", None)
    }
}

fn open(root: &Path) -> Result<Store, LocalCloudError> {
    Store::open(&LocalCloudConfig { buckets: vec![BUCKET.to_owned()], ..LocalCloudConfig::new(root) })
}

fn put(store: &Store, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let mut incoming = Incoming::create(&store.tmp_dir(), Default::default())?;
    incoming.write(bytes)?;
    let content = incoming.finish();
    let etag = hex::encode(content.md5);
    let commit = Commit { file: content.file, etag, content_type: None, if_absent: false };
    match store.bucket(BUCKET).context("created")?.as_ref() {
        Bucket::Folder(folder) => anyhow::ensure!(folder.commit(key, commit)?),
        Bucket::Mounted(_) => anyhow::bail!("not a folder"),
    }
    Ok(())
}

fn etag(store: &Store, key: &str) -> anyhow::Result<String> {
    Ok(store.bucket(BUCKET).context("created")?.open(key)?.context("stored")?.etag)
}

fn keys(bucket: &Bucket, prefix: &str, after: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut walk = bucket.walk(prefix, after)?;
    Ok(std::iter::from_fn(|| walk.next()).map(|found| found.key).collect())
}

#[test]
fn ordinary_objects_are_plain_files() -> anyhow::Result<()> {
    let scene = Scene::new()?;
    for key in ["v1/720p/train-000000.tar", "v1/.nv-meta/split.yaml", "inbox/a photo.jpg"] {
        scene.put(key, b"bytes")?;
        assert_eq!(scene.path_of(key)?, format!("{BUCKET}/{key}"));
        assert_eq!(fs::read(scene.root.path().join(BUCKET).join(key))?, b"bytes");
    }
    Ok(())
}

#[test]
fn keys_that_cannot_be_paths_lie_outside_the_visible_tree() -> anyhow::Result<()> {
    let scene = Scene::new()?;
    scene.put("a.jpg", b"1")?;
    // Python: hashlib.sha256(key.encode()).hexdigest()
    for (key, digest) in [
        ("x".repeat(201), "84a0678c90937f5dcf9994d5866668da6b995109c8ad845410559b48a4ecafed"),
        ("a.jpg/b.jpg".to_owned(), "b31d8edae5100bdbb3a9247db663aa0d17a9445b5175fc4a5b41c69ee4aed4a5"),
    ] {
        scene.put(&key, b"2")?;
        let fan = digest.get(..2).context("hex")?;
        assert_eq!(scene.path_of(&key)?, format!(".local-cloud/buckets/{BUCKET}/alternate/{fan}/{digest}"));
    }
    assert_eq!(scene.keys()?, ["a.jpg", "a.jpg/b.jpg", &"x".repeat(201)]);
    Ok(())
}

#[test]
fn what_a_killed_server_left_is_swept_at_start() -> anyhow::Result<()> {
    let Scene { root, store } = Scene::new()?;
    put(&store, "kept", b"whole")?;
    let (file, path) = tempfile::NamedTempFile::new_in(store.tmp_dir())?.keep()?;
    (&file).write_all(b"half of an upl")?;
    // What a kill between the two steps of an alternate write leaves: the key without its object.
    let alternate = root.path().join(format!(".local-cloud/buckets/{BUCKET}/alternate/ab"));
    fs::create_dir_all(&alternate)?;
    fs::write(alternate.join(format!("ab{}.key", "0".repeat(62))), "never written")?;
    // And one after the folders for a new object were made.
    fs::create_dir_all(root.path().join(BUCKET).join("folder.jpg"))?;
    drop(store);

    let scene = Scene { store: open(root.path())?, root };
    assert!(!path.try_exists()?);
    assert_eq!(scene.keys()?, ["kept"]);
    scene.put("folder.jpg", b"a file after all")?;
    assert_eq!(scene.path_of("folder.jpg")?, format!("{BUCKET}/folder.jpg"));
    Ok(())
}

#[test]
fn kill_between_tag_and_object_leaves_the_old_object_with_its_etag() -> anyhow::Result<()> {
    let scene = Scene::new()?;
    scene.put("object", b"old")?;
    let before = etag(&scene.store, "object")?;
    // Python: hashlib.md5(b"old").hexdigest()
    assert_eq!(before, "149603e6c03516362a8da23f624db945");
    let coming = tempfile::NamedTempFile::new_in(scene.store.tmp_dir())?;
    let stamp = Stamp::of(coming.as_file())?;
    let meta = scene.root.path().join(".local-cloud/buckets").join(BUCKET);
    let tags = tags::Tags::new(meta.join("tags"), scene.store.tmp_dir());
    let old = Stamp::of(&fs::File::open(scene.root.path().join(BUCKET).join("object"))?)?;
    let present = tags.read(&keys::digest("object"), old).context("it was recorded")?;
    let tag = tags::Tag { stamp, etag: "coming".to_owned(), content_type: None };
    tags.record(&keys::digest("object"), Some(present), &tag)?;
    // The kill: the new content is never renamed into place.
    drop(coming);
    assert_eq!(etag(&scene.store, "object")?, before);
    Ok(())
}

#[test]
fn etags_survive_a_restart_and_a_rewrite_of_the_same_bytes() -> anyhow::Result<()> {
    let Scene { root, store } = Scene::new()?;
    put(&store, "object", b"bytes")?;
    let before = etag(&store, "object")?;
    put(&store, "object", b"bytes")?;
    assert_eq!(etag(&store, "object")?, before);
    drop(store);
    assert_eq!(etag(&open(root.path())?, "object")?, before);
    Ok(())
}

#[test]
fn object_changed_behind_our_back_is_another_version() -> anyhow::Result<()> {
    let scene = Scene::new()?;
    scene.put("object", b"bytes")?;
    let before = etag(&scene.store, "object")?;
    let path = scene.root.path().join(BUCKET).join("object");
    fs::write(&path, b"other")?;
    let changed = etag(&scene.store, "object")?;
    assert_ne!(changed, before);
    fs::File::options().write(true).open(&path)?.set_modified(std::time::UNIX_EPOCH)?;
    assert_eq!(etag(&scene.store, "object")?, "0.00000000-5");
    Ok(())
}

#[test]
fn one_server_at_a_time() -> anyhow::Result<()> {
    let Scene { root, store } = Scene::new()?;
    assert!(matches!(open(root.path()), Err(LocalCloudError::InUse(_))));
    drop(store);
    assert!(open(root.path()).is_ok());
    Ok(())
}

#[test]
fn names_of_buckets_are_checked() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    for bad in ["", "..", "a/b", ".local-cloud", "UPPER", "ab"] {
        let config = LocalCloudConfig { buckets: vec![bad.to_owned()], ..LocalCloudConfig::new(root.path()) };
        assert!(matches!(Store::open(&config), Err(LocalCloudError::InvalidBucket(_))), "{bad:?}");
    }
    let mount = Mount { bucket: BUCKET.to_owned(), folder: root.path().to_owned() };
    let config = LocalCloudConfig {
        buckets: vec![BUCKET.to_owned()],
        mounts: vec![mount],
        ..LocalCloudConfig::new(root.path())
    };
    assert!(matches!(Store::open(&config), Err(LocalCloudError::DuplicateBucket(_))));
    Ok(())
}

#[test]
fn big_listing_reads_each_folder_once() -> anyhow::Result<()> {
    const OBJECTS: usize = 100_000;
    let scene = Scene::new()?;
    let folder = scene.root.path().join(BUCKET).join("images");
    fs::create_dir_all(&folder)?;
    for number in 0..OBJECTS {
        fs::File::create(folder.join(format!("{number:06}.jpg")))?;
    }
    let (cursors, bucket) = (Cursors::default(), scene.folder());
    let mut query = query("images/", 1_000);
    let mut listed = Vec::new();
    loop {
        let page = cursors.list(&bucket, &query).map_err(|_| anyhow::anyhow!("our own token"))??;
        listed.extend(page.objects.into_iter().map(|object| object.key));
        // Listed only if the folder were read again.
        if listed.len() == 1_000 {
            fs::write(folder.join("099998x.jpg"), b"too late for this walk")?;
        }
        match page.next {
            Some(next) => query.token = Some(next),
            None => break,
        }
    }
    assert_eq!(listed.len(), OBJECTS);
    assert!(listed.is_sorted());
    Ok(())
}

#[test]
fn listing_goes_on_when_its_walk_is_gone() -> anyhow::Result<()> {
    let scene = Scene::new()?;
    let expected: Vec<_> = (0..10).map(|number| format!("folder/{number}")).collect();
    for key in &expected {
        scene.put(key, b"x")?;
    }
    let mut query = query("", 3);
    let mut listed = Vec::new();
    loop {
        // New cursors each time: a restarted server.
        let page = Cursors::default().list(&scene.folder(), &query);
        let page = page.map_err(|_| anyhow::anyhow!("our own token"))??;
        listed.extend(page.objects.into_iter().map(|object| object.key));
        match page.next {
            Some(next) => query.token = Some(next),
            None => break,
        }
    }
    assert_eq!(listed, expected);
    query.token = Some("not ours".to_owned());
    assert!(Cursors::default().list(&scene.folder(), &query).is_err());
    Ok(())
}

#[test]
fn delimiter_rolls_keys_up_over_pages() -> anyhow::Result<()> {
    let scene = Scene::new()?;
    for key in ["a", "b/1", "b/2", "b/c/3", "b-", "d/", "d/4", "e"] {
        scene.put(key, b"x")?;
    }
    for limit in [1, 2, 1_000] {
        let cursors = Cursors::default();
        let mut query = ListQuery { delimiter: Some("/".to_owned()), ..query("", limit) };
        let mut listed = Vec::new();
        loop {
            let page =
                cursors.list(&scene.folder(), &query).map_err(|_| anyhow::anyhow!("our own token"))??;
            anyhow::ensure!(page.objects.len() + page.prefixes.len() <= limit);
            listed.extend(page.objects.into_iter().map(|object| object.key));
            listed.extend(page.prefixes);
            match page.next {
                Some(next) => query.token = Some(next),
                None => break,
            }
        }
        listed.sort();
        assert_eq!(listed, ["a", "b-", "b/", "d/", "e"], "pages of {limit}");
    }
    Ok(())
}

fn query(prefix: &str, limit: usize) -> ListQuery {
    let (bucket, prefix) = (BUCKET.to_owned(), prefix.to_owned());
    ListQuery { bucket, prefix, delimiter: None, start_after: None, token: None, limit }
}

#[test]
fn mounted_folder_is_served_as_it_is() -> anyhow::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    let (root, photos, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
    let at = |name: &str| photos.path().join(name);
    fs::create_dir_all(at("trip/day 1"))?;
    for name in ["100%.jpg", "trip/day 1/a.jpg", "trip/%2E.jpg", ".hidden", "back\\slash"] {
        fs::write(at(name), name)?;
    }
    fs::write(elsewhere.path().join("far.jpg"), "far")?;
    symlink(elsewhere.path().join("far.jpg"), at("link.jpg"))?;
    symlink(elsewhere.path(), at("linked"))?;
    symlink(photos.path(), at("trip/loop"))?;
    symlink("nowhere", at("dangling"))?;
    fs::write(photos.path().join(std::ffi::OsStr::from_bytes(b"latin\xe9.jpg")), "not UTF-8")?;
    let _socket = std::os::unix::net::UnixListener::bind(at("socket"))?;

    let mount = Mount { bucket: "photos".to_owned(), folder: photos.path().to_owned() };
    let store = Store::open(&LocalCloudConfig { mounts: vec![mount], ..LocalCloudConfig::new(root.path()) })?;
    let bucket = store.bucket("photos").context("mounted")?;
    let expected = [
        ".hidden",
        "100%.jpg",
        "back\\slash",
        "link.jpg",
        "linked/far.jpg",
        "trip/%2E.jpg",
        "trip/day 1/a.jpg",
    ];
    assert_eq!(keys(&bucket, "", None)?, expected);
    assert_eq!(keys(&bucket, "trip/d", None)?, ["trip/day 1/a.jpg"]);
    for key in expected {
        assert!(bucket.open(key)?.is_some(), "{key}");
    }
    for key in [
        "../x",
        "trip",
        "trip/../.hidden",
        "trip//day 1/a.jpg",
        "socket",
        "dangling",
        "nul\0",
        &"x".repeat(300),
    ] {
        assert!(bucket.open(key)?.is_none(), "{key:?}");
    }
    fs::File::options().write(true).open(at(".hidden"))?.set_modified(std::time::UNIX_EPOCH)?;
    assert_eq!(bucket.open(".hidden")?.context("there")?.etag, "0.00000000-7");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against a sorted set: what is listed, in which order, from where.
    #[test]
    fn walks_list_what_a_sorted_set_holds(
        stored in prop::collection::btree_set("[ab./-]{1,6}", 1..25),
        prefix in "[ab./-]{0,3}",
        after in prop::option::of("[ab./-]{0,4}"),
    ) {
        let scene = Scene::new().expect("a temporary folder");
        for key in &stored {
            scene.put(key, key.as_bytes()).expect("stored");
        }
        let expected: Vec<_> = stored
            .iter()
            .filter(|key| key.starts_with(&prefix) && after.as_ref().is_none_or(|after| *key > after))
            .cloned()
            .collect();
        prop_assert_eq!(keys(&scene.folder(), &prefix, after.as_deref()).expect("walked"), expected);
        let root = scene.root.path().canonicalize().expect("it is there");
        for key in &stored {
            let path = scene.folder().path_of(key).expect("readable").expect("stored");
            prop_assert!(path.starts_with(&root));
            prop_assert_eq!(fs::read(path).expect("readable"), key.as_bytes());
        }
    }
}
