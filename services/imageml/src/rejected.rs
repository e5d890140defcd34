//! `imageml rejected`: the quarantine.

use std::process::ExitCode;

use manifest_store::{ManifestStore, RejectedRecord};
use serde_json::json;
use types::DatasetName;

use crate::arguments::{BackendArguments, RejectedCommand};
use crate::{backend, output};

const PAGE: u32 = 1_000;

pub(crate) async fn run(command: RejectedCommand, arguments: &BackendArguments) -> anyhow::Result<ExitCode> {
    let store = backend::open_store(arguments).await?;
    match command {
        RejectedCommand::List { name } => list(store.as_ref(), &name, arguments.json).await?,
        RejectedCommand::Redrive { name, reason, dry_run } => {
            store.dataset(&name).await?;
            let count = store.redrive(&name, reason, dry_run).await?;
            if arguments.json {
                output::json(&json!({ "dataset": name, "redriven": count, "dry_run": dry_run }))?;
            } else if dry_run {
                output::line(format!("{count} objects would go back to work"))?;
            } else {
                output::line(format!("{count} objects go back to work with the next run"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(store: &dyn ManifestStore, name: &DatasetName, as_json: bool) -> anyhow::Result<()> {
    store.dataset(name).await?;
    let records = all(store, name).await?;
    if as_json {
        let documents: Vec<_> = records.iter().map(document).collect();
        return output::json(&json!({ "dataset": name, "rejected": documents }));
    }
    if records.is_empty() {
        return output::line("nothing was rejected");
    }
    let rows = records.iter().map(|record| {
        let reason = &record.reason;
        let key = &record.key;
        vec![
            key.stage.to_string(),
            key.object.uri.to_string(),
            reason.code.to_string(),
            reason.detail.clone(),
            output::time(record.rejected_at),
        ]
    });
    output::line(output::table(&["stage", "object", "reason", "detail", "when"], &[], rows))
}

/// The whole quarantine of a dataset, by stage and key.
pub(crate) async fn all(
    store: &dyn ManifestStore,
    name: &DatasetName,
) -> anyhow::Result<Vec<RejectedRecord>> {
    let mut records: Vec<RejectedRecord> = Vec::new();
    loop {
        let page = store.rejected(name, records.last().map(|last| &last.key), PAGE).await?;
        if page.is_empty() {
            return Ok(records);
        }
        records.extend(page);
    }
}

fn document(record: &RejectedRecord) -> serde_json::Value {
    json!({
        "stage": record.key.stage,
        "uri": record.key.object.uri,
        "version": record.key.object.version,
        "reason": record.reason.code,
        "detail": record.reason.detail,
        "attempts": record.attempts,
        "rejected_at": output::time(record.rejected_at),
    })
}
