//! What the runs came to, for people.

use std::time::Duration;

use crate::{Scenario, Verdict};

/// One run of one scenario.
#[derive(Debug)]
pub struct Outcome {
    /// Which.
    pub scenario: &'static Scenario,
    /// With which seed.
    pub seed: u64,
    /// How long, its servers' start included.
    pub took: Duration,
    /// What came of it.
    pub result: anyhow::Result<Verdict>,
}

/// All runs of a session.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order of the runs.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Whether something failed.
    pub fn has_failed(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.result.is_err())
    }

    /// A Markdown table with a row for each scenario, its seeds together.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| scenario | fault | expected beyond the invariants | seeds | put | done | rejected | dead-lettered | peak MiB | seconds | result |\n\
             |---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        let mut ids: Vec<_> = self.outcomes.iter().map(|outcome| outcome.scenario.id).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let runs: Vec<_> = self.outcomes.iter().filter(|outcome| outcome.scenario.id == id).collect();
            text += &row(&runs);
        }
        text
    }
}

fn row(runs: &[&Outcome]) -> String {
    let Some(first) = runs.first() else { return String::new() };
    let verdicts: Vec<_> = runs.iter().filter_map(|run| run.result.as_ref().ok()).collect();
    let sum = |of: fn(&Verdict) -> usize| verdicts.iter().map(|verdict| of(verdict)).sum::<usize>();
    let seeds: Vec<_> = runs.iter().map(|run| run.seed.to_string()).collect();
    let longest = runs.iter().map(|run| run.took).max().unwrap_or_default();
    let peak = verdicts.iter().map(|verdict| verdict.peak_memory).max().unwrap_or(0) >> 20;
    let failed: Vec<_> =
        runs.iter().filter(|run| run.result.is_err()).map(|run| run.seed.to_string()).collect();
    let result =
        if failed.is_empty() { "ok".to_owned() } else { format!("failed: seed {}", failed.join(", ")) };
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {peak} | {:.0} | {result} |\n",
        first.scenario.id,
        first.scenario.fault,
        first.scenario.expected,
        seeds.join(", "),
        sum(|verdict| verdict.put),
        sum(|verdict| verdict.done),
        sum(|verdict| verdict.rejected),
        sum(|verdict| verdict.dead),
        longest.as_secs_f64(),
    )
}
