//! Runs chaos scenarios: `cargo run -p chaos --bin chaos -- --seeds 1,2,3`.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use chaos::{Report, Scenario};
use clap::Parser;

/// Faults, crashes and duplicates against the real services, and one checker
#[derive(Debug, Parser)]
#[command(after_help = "\
Examples:
  chaos                        every scenario with seed 1
  chaos --seeds 1,2,3          every scenario with three seeds
  chaos S-18 --seeds 7         one of them, replayed
  chaos --long --seeds 9       the long ones too
  chaos --list")]
struct Arguments {
    /// Scenarios by number [default: all but the long ones]
    scenarios: Vec<String>,
    /// Seeds, each scenario with each
    #[arg(long, value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// Without numbers: the scenarios that take minutes too
    #[arg(long)]
    long: bool,
    /// Writes the table into this page, between its `chaos:begin` and `chaos:end` marks
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Lists the scenarios
    #[arg(long)]
    list: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let scenarios = chosen(&arguments.scenarios, arguments.long)?;
    if arguments.list {
        for scenario in scenarios {
            println!("{}  {}", scenario.id, scenario.fault);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut report = Report::default();
    for seed in &arguments.seeds {
        for scenario in &scenarios {
            println!("{} seed {seed}: {}", scenario.id, scenario.fault);
            let outcome = chaos::run(scenario, *seed).await;
            match &outcome.result {
                Ok(verdict) => println!("  ok in {:.1} s: {verdict:?}", outcome.took.as_secs_f64()),
                Err(error) => println!(
                    "  FAILED after {:.1} s: {error:#}\n  replay: make chaos ARGUMENTS='{} --seeds {seed}'",
                    outcome.took.as_secs_f64(),
                    scenario.id
                ),
            }
            report.outcomes.push(outcome);
        }
    }
    let table = report.table();
    println!("\n{table}");
    if let Some(page) = &arguments.report {
        write_between_marks(page, &table)?;
    }
    Ok(if report.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn chosen(wanted: &[String], long: bool) -> anyhow::Result<Vec<&'static Scenario>> {
    if wanted.is_empty() {
        return Ok(chaos::all().filter(|scenario| long || !scenario.long).collect());
    }
    wanted
        .iter()
        .map(|id| chaos::find(id).with_context(|| format!("there is no scenario {id}: see --list")))
        .collect()
}

fn write_between_marks(page: &PathBuf, table: &str) -> anyhow::Result<()> {
    const BEGIN: &str = "<!-- chaos:begin -->\n";
    const END: &str = "<!-- chaos:end -->";
    let text = std::fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let (before, rest) = text.split_once(BEGIN).context("no chaos:begin mark")?;
    let (_, after) = rest.split_once(END).context("no chaos:end mark")?;
    Ok(std::fs::write(page, format!("{before}{BEGIN}{table}{END}{after}"))?)
}
