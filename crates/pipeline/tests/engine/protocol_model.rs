//! Every interleaving of the delivery protocol (docs/protocol.md): queue, claims, fence, publication, with a few mishaps
//! of any kind at any time, explored to the end by `stateright`.
//!
//! The model's workers take the steps of `engine/attempt.rs`, and its claims are the rows and rules of `manifest-store`.
//! It leaves out:
//! - clocks. Only `claim` and listings ever read the end of a lease or of a wait, so the model decides there whether
//!   it has come, and a renewal in time changes nothing. A lease that ends under a living worker is a mishap;
//! - asking in vain. Who is told "not now" asks again when the answer is another one; for a successor too, where the
//!   engine would begin again with what the message told of;
//! - permits, batches, checkpoints, outages of the whole place, postponed work (as failed work, but not counted);
//! - parts of uploads: whoever publishes has uploaded everything;
//! - what tells workers apart. They are kept in order, and alike ones do alike.

mod circles;
mod rules;
mod scenario;
mod steps;
mod store;
mod world;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use stateright::{Checker, HasDiscoveries, Model};

use self::rules::{Rules, Scenario, Subject};
use self::scenario::{ENDS_WELL, NEVER_BACK, NO_STALE_WRITE, NOT_DELETED_EARLY, ONCE};

const TWO_OBJECTS: Scenario = Scenario {
    rules: Rules::ALL,
    subject: Subject::TwoObjects,
    workers: 3,
    faults: 4,
    max_attempts: 2,
    one_copy: false,
};

const OVERWRITTEN: Scenario = Scenario { subject: Subject::OneObject(&[0, 1]), faults: 2, ..TWO_OBJECTS };

/// The first content is put again after the second.
const COMES_BACK: Scenario =
    Scenario { subject: Subject::OneObject(&[0, 1, 0]), workers: 2, faults: 1, ..TWO_OBJECTS };

/// Explores everything. `at_least` so many worlds, since a model in which nothing happens has no faults.
fn holds(scenario: Scenario, at_least: usize) -> Result<()> {
    let begun = Instant::now();
    let checker = scenario.checker().threads(2).spawn_bfs().join();
    let (worlds, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    eprintln!("{worlds} worlds, {steps} steps, at most {depth} in a row, {:?}", begun.elapsed());
    checker.assert_properties();
    ensure!(worlds >= at_least, "the model has shrunk to {worlds} worlds");
    Ok(())
}

/// Without the rule, this property is broken. The shortest story is printed.
fn is_broken(property: &'static str, scenario: Scenario) -> Result<()> {
    let found = HasDiscoveries::AnyOf([property].into());
    let checker = scenario.checker().finish_when(found).spawn_bfs().join();
    let story = checker.discovery(property).with_context(|| format!("nothing breaks: {property}"))?;
    eprintln!("not always: {property}");
    story.into_actions().iter().for_each(|step| eprintln!("  {step:?}"));
    Ok(())
}

#[test]
fn two_objects_are_each_published_once_or_rejected() -> Result<()> {
    holds(TWO_OBJECTS, 500_000)
}

#[test]
fn an_overwritten_object_ends_at_its_last_content() -> Result<()> {
    holds(OVERWRITTEN, 350_000)
}

#[test]
fn content_that_comes_back_ends_in_the_catalogue() -> Result<()> {
    holds(COMES_BACK, 200_000)
}

#[test]
#[ignore = "takes minutes; for changes of the protocol"]
fn everything_holds_with_more_mishaps() -> Result<()> {
    holds(Scenario { faults: 5, ..TWO_OBJECTS }, 2_000_000)?;
    holds(Scenario { faults: 3, ..OVERWRITTEN }, 2_000_000)?;
    holds(Scenario { faults: 2, ..COMES_BACK }, 2_000_000)?;
    holds(Scenario { workers: 3, ..COMES_BACK }, 700_000)
}

#[test]
fn nothing_goes_on_for_ever() -> Result<()> {
    let smaller = [
        Scenario { faults: 2, ..TWO_OBJECTS },
        Scenario { faults: 1, ..OVERWRITTEN },
        Scenario { faults: 0, workers: 3, ..COMES_BACK },
    ];
    for scenario in smaller {
        let circle = circles::circle(&scenario);
        ensure!(circle.is_none(), "it can come back to {circle:?}");
    }
    Ok(())
}

#[test]
fn publishing_without_the_fence_is_found() -> Result<()> {
    let rules = Rules { fences: false, ..Rules::ALL };
    is_broken(NO_STALE_WRITE, Scenario { rules, ..TWO_OBJECTS })?;
    is_broken(ONCE, Scenario { rules, ..TWO_OBJECTS })
}

#[test]
fn acknowledging_before_publishing_is_found() -> Result<()> {
    let rules = Rules { publishes_first: false, ..Rules::ALL };
    is_broken(NOT_DELETED_EARLY, Scenario { rules, ..TWO_OBJECTS })
}

#[test]
fn publishing_what_was_overwritten_is_found() -> Result<()> {
    let rules = Rules { refuses_older: false, ..Rules::ALL };
    is_broken(NEVER_BACK, Scenario { rules, ..OVERWRITTEN })?;
    // Listings set it right, unless the newer version still counts as done.
    let rules = Rules { frees_others: false, ..rules };
    is_broken(ENDS_WELL, Scenario { rules, ..OVERWRITTEN })
}

#[test]
fn leaving_other_versions_done_is_found() -> Result<()> {
    let rules = Rules { frees_others: false, ..Rules::ALL };
    is_broken(ENDS_WELL, Scenario { rules, ..COMES_BACK })
}

#[test]
fn beginning_tokens_anew_is_found() -> Result<()> {
    let rules = Rules { keeps_tokens: false, ..Rules::ALL };
    is_broken(NO_STALE_WRITE, Scenario { rules, max_attempts: 1, ..COMES_BACK })
}

/// Why outputs must not share a key between versions: a slow upload of old bytes comes after the publication of new ones,
/// and the fence, which only guards publications, does not stop it.
#[test]
fn one_key_for_the_bytes_of_all_versions_is_found() -> Result<()> {
    is_broken(ENDS_WELL, Scenario { one_copy: true, faults: 0, ..OVERWRITTEN })
}
