//! A few scenarios with one seed, so that every run of the tests has some chaos. All of them: `make chaos`.

use anyhow::Context as _;

const SEED: u64 = 1;

async fn holds(id: &str) -> anyhow::Result<()> {
    let scenario = chaos::find(id).context("no such scenario")?;
    let outcome = chaos::run(scenario, SEED).await;
    outcome
        .result
        .with_context(|| format!("{id}: replay with `make chaos ARGUMENTS='{id} --seeds {SEED}'`"))?;
    Ok(())
}

// One after the other: each has two services of its own, and times to keep.
#[tokio::test]
async fn duplicates_overwrites_and_a_death_at_every_step_lose_and_double_nothing() -> anyhow::Result<()> {
    for id in ["S-02", "S-04", "S-19"] {
        holds(id).await?;
    }
    Ok(())
}

#[test]
fn every_scenario_has_a_number_of_its_own() {
    let mut ids: Vec<_> = chaos::all().map(|scenario| scenario.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), ids.len() >= 18), (count, true));
}
