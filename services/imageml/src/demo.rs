//! `imageml demo`: sample images to try the pipeline on.

use std::process::ExitCode;

use sample_images::{Expected, Sample};
use serde_json::{Value, json};

use crate::arguments::DemoArguments;
use crate::output;

pub(crate) async fn run(arguments: DemoArguments) -> anyhow::Result<ExitCode> {
    let folder = arguments.output.clone();
    let samples = tokio::task::spawn_blocking(move || sample_images::write_samples(&folder)).await??;
    if arguments.json {
        output::json(&samples.iter().map(document).collect::<Vec<_>>())?;
    } else {
        let row = |sample: &Sample| vec![sample.name.clone(), sample.about.to_owned()];
        output::line(output::table(&["file", "shows"], &[], samples.iter().map(row)))?;
        output::line(format!("\n{} files in {}", samples.len(), arguments.output.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn document(sample: &Sample) -> Value {
    let (expected, of) = match &sample.expected {
        Expected::Image => ("image", None),
        Expected::Duplicate { of } => ("duplicate", Some(of)),
        Expected::Rejected => ("rejected", None),
    };
    json!({ "name": sample.name, "about": sample.about, "expected": expected, "of": of })
}
