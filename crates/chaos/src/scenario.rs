//! The scenarios, by number.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::future::LocalBoxFuture;

use crate::{Outcome, Rig, RigSettings, Verdict, scenarios};

/// No scenario takes longer; one that hangs fails.
const LIMIT: Duration = Duration::from_secs(600);

/// What a scenario does with its world.
pub(crate) type Run = for<'r> fn(&'r mut Rig) -> LocalBoxFuture<'r, anyhow::Result<Verdict>>;

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// `S-02`, as in docs/reliability.md.
    pub id: &'static str,
    /// What is done to the services.
    pub fault: &'static str,
    /// What is expected beyond the invariants.
    pub expected: &'static str,
    /// What differs in its world.
    pub settings: fn() -> RigSettings,
    /// Takes minutes: runs only when asked for.
    pub long: bool,
    /// What happens.
    pub run: Run,
}

/// All of them, by number.
pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    scenarios::delivery::SCENARIOS,
    scenarios::order::SCENARIOS,
    scenarios::visibility::SCENARIOS,
    scenarios::crashes::SCENARIOS,
    scenarios::drain::SCENARIOS,
    scenarios::disk::SCENARIOS,
    scenarios::network::SCENARIOS,
    scenarios::database::SCENARIOS,
    scenarios::gateway::SCENARIOS,
    scenarios::load::SCENARIOS,
];

/// All of them in one list.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().copied().flatten()
}

/// One by its number.
pub fn find(id: &str) -> Option<&'static Scenario> {
    all().find(|scenario| scenario.id.eq_ignore_ascii_case(id))
}

/// Runs one in a world of its own.
pub async fn run(scenario: &'static Scenario, seed: u64) -> Outcome {
    let begun = Instant::now();
    let result = tokio::time::timeout(LIMIT, in_a_world(scenario, seed)).await;
    let result = result.unwrap_or_else(|_| Err(anyhow::anyhow!("not at its end after {LIMIT:?}")));
    Outcome { scenario, seed, took: begun.elapsed(), result }
}

async fn in_a_world(scenario: &Scenario, seed: u64) -> anyhow::Result<Verdict> {
    let mut rig = Rig::start(seed, (scenario.settings)()).await.context("the servers did not start")?;
    (scenario.run)(&mut rig).await
}
