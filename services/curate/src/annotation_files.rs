//! Annotation files beside the data: for each split one COCO or Label Studio file, for trainers that read those.

use std::sync::Arc;

use annotations::Format;
use dataset_builder::{Export, PlannedSample, ShardPlan};
use pipeline::{Output, StageError, Work};
use types::{RejectReason, S3Uri};

use crate::{CurationRequest, OutputKind, files};

/// Every file that the request asks for.
pub(crate) async fn write(
    work: &Work,
    request: &CurationRequest,
    folder: &S3Uri,
    parts: &Arc<[ShardPlan]>,
) -> Result<Vec<Output>, StageError> {
    let (formats, kind) = (request.annotation_files.clone(), request.output);
    let (parts, folder, source) = (Arc::clone(parts), folder.clone(), work.object.object.uri.clone());
    let written = work.cpu.run(move || {
        let wanted = parts.iter().flat_map(|part| formats.iter().map(move |format| (part, *format)));
        let file = |(part, format): (&ShardPlan, Format)| {
            let json = export(part, format, kind, &folder)?;
            let uri = folder.join(&file_name(part, format));
            Ok(Output::document(uri, "application/json", json, source.clone()))
        };
        wanted.map(file).collect::<Result<Vec<_>, RejectReason>>()
    });
    written.await?.map_err(StageError::Rejected)
}

/// Where the file is, below the version's folder: `<variant>/<split>.coco.json`.
pub(crate) fn file_name(part: &ShardPlan, format: Format) -> String {
    let suffix = match format {
        Format::Coco => "coco.json",
        Format::LabelStudio => "label-studio.json",
    };
    format!("{}/{}.{suffix}", part.variant, part.split)
}

fn export(
    part: &ShardPlan,
    format: Format,
    kind: OutputKind,
    folder: &S3Uri,
) -> Result<Vec<u8>, RejectReason> {
    // Label Studio is to find the dataset's own pictures.
    let place = |sample: &PlannedSample| match kind {
        OutputKind::Webdataset => sample.uri.clone(),
        OutputKind::Files => files::place(part, sample, folder),
    };
    Export { format, settings: &part.annotations }.write(&part.samples, place)
}
