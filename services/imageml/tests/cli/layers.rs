//! Which crate may depend on which: ARCHITECTURE.md's layers, checked against the manifests.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Every crate of ours and its layer; a crate depends only on lower ones.
const LAYERS: [(u8, &[&str]); 6] = [
    (0, &["types", "annotations", "jpeg", "imaging", "shards", "sample-images", "s3-events"]),
    (1, &["contact-sheet"]),
    (2, &["object-storage", "manifest-store", "staging", "queue", "label-studio"]),
    (3, &["pipeline", "dataset-builder", "janitor"]),
    (4, &["service", "local-cloud", "image-workers"]),
    (5, &["ingest", "normalize", "shard", "curate", "event-gateway", "imageml"]),
];

/// For tests only: in no layer, and nobody's dependency but in tests.
const TEST_ONLY: [&str; 3] = ["testkit", "end-to-end", "chaos"];

/// Dependencies within a layer, each for a reason.
const WITHIN_A_LAYER: [(&str, &str); 9] = [
    // Everyone speaks the vocabulary.
    ("annotations", "types"),
    ("imaging", "types"),
    ("shards", "types"),
    // Pictures consist of files, some of which are JPEGs.
    ("imaging", "jpeg"),
    // Built on the `Work` and `Output` of stages.
    ("dataset-builder", "pipeline"),
    // The command line is the four stages in one process.
    ("imageml", "ingest"),
    ("imageml", "normalize"),
    ("imageml", "shard"),
    ("imageml", "curate"),
];

/// Whom a foreign crate is reserved for.
const RESERVED: [(&str, &[&str]); 4] = [
    ("sqlx", &["manifest-store", "testkit"]),
    ("aws-sdk-s3", &["object-storage"]),
    ("aws-sdk-sqs", &["queue"]),
    ("axum", &["service", "event-gateway"]),
];

/// Where errors may lose their type: in programs, and in what only tests use.
const ANYHOW: [&str; 10] = [
    "service",
    "ingest",
    "normalize",
    "shard",
    "curate",
    "event-gateway",
    "imageml",
    "testkit",
    "end-to-end",
    "chaos",
];

struct Workspace {
    packages: Vec<Package>,
    layers: BTreeMap<&'static str, u8>,
}

impl Workspace {
    fn load() -> anyhow::Result<Self> {
        let metadata = MetadataCommand::new()
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
            .no_deps()
            .other_options(vec!["--offline".to_owned()])
            .exec()
            .context("cargo metadata")?;
        let layers = LAYERS.iter().flat_map(|(layer, names)| names.iter().map(|name| (*name, *layer)));
        Ok(Self { packages: metadata.packages, layers: layers.collect() })
    }

    /// Every dependency that is built into a program or library: (who, on whom).
    fn normal_dependencies(&self) -> impl Iterator<Item = (&str, &str)> {
        let build_too = |kind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
        self.packages.iter().flat_map(move |package| {
            let found = package.dependencies.iter().filter(move |found| build_too(found.kind));
            found.map(|found| (package.name.as_str(), found.name.as_str()))
        })
    }

    /// Whether `who` takes `whom` only for its exported test suite: optional, and asked for by no other feature.
    fn for_a_test_suite(&self, who: &str, whom: &str) -> bool {
        let Some(package) = self.packages.iter().find(|package| package.name == who) else { return false };
        let optional = package
            .dependencies
            .iter()
            .filter(|found| found.name == whom)
            .all(|found| found.optional || found.kind == DependencyKind::Development);
        let asked = [format!("dep:{whom}"), whom.to_owned()];
        let askers: Vec<_> = package
            .features
            .iter()
            .filter(|(_, wants)| wants.iter().any(|want| asked.contains(want)))
            .map(|(feature, _)| feature.as_str())
            .collect();
        optional && askers == ["testsuite"]
    }
}

#[test]
fn every_crate_has_a_layer() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let there: BTreeSet<_> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    let known: BTreeSet<_> = workspace.layers.keys().copied().chain(TEST_ONLY).collect();
    assert_eq!(there, known);
    Ok(())
}

#[test]
fn dependencies_lead_to_lower_layers() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let mut wrong = Vec::new();
    for (who, whom) in workspace.normal_dependencies() {
        let (Some(upper), Some(lower)) = (workspace.layers.get(who), workspace.layers.get(whom)) else {
            continue;
        };
        if lower >= upper && !WITHIN_A_LAYER.contains(&(who, whom)) {
            wrong.push(format!("{who} (layer {upper}) on {whom} (layer {lower})"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn every_exception_is_in_use() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let there: BTreeSet<_> = workspace.normal_dependencies().collect();
    let unused: Vec<_> = WITHIN_A_LAYER.iter().filter(|exception| !there.contains(exception)).collect();
    assert!(unused.is_empty(), "{unused:?}");
    Ok(())
}

#[test]
fn programs_do_not_depend_on_what_is_for_tests() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let users: Vec<_> = workspace
        .normal_dependencies()
        .filter(|(who, whom)| TEST_ONLY.contains(whom) && !TEST_ONLY.contains(who))
        .map(|(who, _)| who)
        .collect();
    assert!(users.is_empty(), "{users:?}");
    Ok(())
}

#[test]
fn each_foreign_system_is_known_to_one_crate() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    for (foreign, allowed) in RESERVED {
        let users: Vec<_> = workspace
            .normal_dependencies()
            .filter(|(who, whom)| *whom == foreign && !allowed.contains(who))
            .map(|(who, _)| who)
            .collect();
        assert!(users.is_empty(), "{users:?} must not use {foreign}");
    }
    Ok(())
}

#[test]
fn libraries_have_typed_errors() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let users: Vec<_> = workspace
        .normal_dependencies()
        .filter(|(who, whom)| *whom == "anyhow" && !ANYHOW.contains(who))
        .filter(|(who, whom)| !workspace.for_a_test_suite(who, whom))
        .map(|(who, _)| who)
        .collect();
    assert!(users.is_empty(), "{users:?} must not use anyhow");
    Ok(())
}
