//! `imageml processed`: what a stage knows about an object.

use std::process::ExitCode;

use manifest_store::{ClaimStatus, ProcessedRecord, Settlement};
use serde_json::json;

use crate::arguments::ProcessedArguments;
use crate::{backend, output};

/// Exit code 0 when some version of the object is done, 1 when not.
pub(crate) async fn run(arguments: ProcessedArguments) -> anyhow::Result<ExitCode> {
    let store = backend::open_store(&arguments.backend).await?;
    let records = store.processed(arguments.stage, &arguments.uri).await?;
    let done = records.iter().any(|record| record.status == ClaimStatus::Settled(Settlement::Done));
    if arguments.backend.json {
        let versions: Vec<_> = records.iter().map(document).collect();
        output::json(&json!({
            "uri": arguments.uri, "stage": arguments.stage, "processed": done, "versions": versions,
        }))?;
    } else if records.is_empty() {
        output::line(format!("{}: never seen by {}", arguments.uri, arguments.stage))?;
    } else {
        let rows = records.iter().map(|record| {
            let key = &record.key;
            let status = describe(&record.status);
            vec![
                key.dataset.to_string(),
                key.object.version.clone(),
                key.policy.short(),
                status,
                record.attempts.to_string(),
            ]
        });
        output::line(output::table(&["dataset", "version", "policy", "status", "attempts"], &[4], rows))?;
    }
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn describe(status: &ClaimStatus) -> String {
    match status {
        ClaimStatus::Free => "waiting".to_owned(),
        ClaimStatus::Settled(Settlement::Done) => "done".to_owned(),
        ClaimStatus::Settled(Settlement::Rejected(reason)) => format!("rejected ({reason})"),
        ClaimStatus::NotNow { .. } => "in progress".to_owned(),
    }
}

fn document(record: &ProcessedRecord) -> serde_json::Value {
    json!({
        "dataset": record.key.dataset,
        "version": record.key.object.version,
        "policy_hash": record.key.policy,
        "status": describe(&record.status),
        "attempts": record.attempts,
    })
}
