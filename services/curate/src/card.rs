//! The dataset card: what a person reads first.

use std::fmt::Write;

use annotations::Format;
use dataset_builder::ShardPlan;
use types::VersionNumber;

use crate::{CurationRequest, OutputKind, annotation_files};

/// README.md of a curated dataset: counts and provenance, in the form that the Hugging Face hub reads.
pub(crate) fn card(request: &CurationRequest, version: VersionNumber, parts: &[ShardPlan]) -> String {
    let CurationRequest { name, dataset, version: source, variant, seed, .. } = request;
    let samples: usize = parts.iter().map(|part| part.samples.len()).sum();
    let mut text = format!(
        "---\npretty_name: {name}\ntags: [imageml, {layout}]\n---\n# {name} {version}\n\n\
         {samples} samples of `{dataset}` {source}, variant `{variant}`, as {layout}.\n\n\
         | split | samples | bytes of pictures |\n|---|---:|---:|\n",
        layout = match request.output {
            OutputKind::Webdataset => "webdataset",
            OutputKind::Files => "files",
        },
    );
    for part in parts {
        let bytes: u64 = part.samples.iter().map(|sample| sample.bytes).sum();
        append(&mut text, format_args!("| {} | {} | {bytes} |\n", part.split, part.samples.len()));
    }
    let of_part = |part: &ShardPlan| {
        let name = |format: &Format| format!("- `{}`\n", annotation_files::file_name(part, *format));
        request.annotation_files.iter().map(name).collect::<String>()
    };
    let listed: String = parts.iter().map(of_part).collect();
    if !listed.is_empty() {
        append(
            &mut text,
            format_args!(
                "\n## Annotation files\n\nOf the samples that people have looked at, in pixels of the pictures. COCO calls \
                 these `<image id>.<extension>`, Label Studio by their S3 URI.\n\n{listed}"
            ),
        );
    }
    append(
        &mut text,
        format_args!(
            "\n## Provenance\n\nChosen by this request (seed `{seed}`); every sample's origin is in the sample \
             table and in its `.json`.\n\n```json\n{}\n```\n",
            serde_json::to_string_pretty(request).expect("a request is plain JSON")
        ),
    );
    text
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a string does not fail");
}
