//! The annotations of samples as a file of another tool, in the samples' own pixels.

use annotations::{Format, Frame, FrameKind, Record, Refusal, Registry, coco, label_studio};
use serde_json::{Map, Value, json};
use types::{RejectCode, RejectReason, S3Uri};

use crate::{AnnotationSettings, PlannedSample, carry};

/// Samples whose annotations are written.
#[derive(Debug)]
pub struct Export<'a> {
    /// The format.
    pub format: Format,
    /// The categories, and what is left out.
    pub settings: &'a AnnotationSettings,
}

impl Export<'_> {
    /// Writes the annotations of the samples that people have looked at, in their order; of the others nothing is said,
    /// since an image without annotations would count as one with nothing on it. COCO calls pictures
    /// `<image id>.<extension>`, Label Studio finds them where `place` says. Equal samples give equal bytes.
    ///
    /// # Errors
    /// A label is none of the categories.
    pub fn write<'s>(
        &self,
        samples: impl IntoIterator<Item = &'s PlannedSample>,
        place: impl Fn(&PlannedSample) -> S3Uri,
    ) -> Result<Vec<u8>, RejectReason> {
        let said = samples.into_iter().filter_map(|sample| self.said(sample, place(sample)));
        let said: Vec<_> = said.collect();
        match self.format {
            Format::Coco => self.coco(&said),
            Format::LabelStudio => Self::label_studio(&said),
        }
    }

    fn coco(&self, said: &[Said<'_>]) -> Result<Vec<u8>, RejectReason> {
        let registry: Registry = self.settings.categories.iter().cloned().collect();
        let entries: Vec<_> = said.iter().map(Said::entry).collect();
        coco::write(&entries, &registry).map(|written| written.json).map_err(refused)
    }

    fn label_studio(said: &[Said<'_>]) -> Result<Vec<u8>, RejectReason> {
        let images: Vec<_> = said.iter().map(|said| said.uri.to_string()).collect();
        let tasks: Vec<_> = said.iter().zip(&images).map(|(said, image)| said.task(image)).collect();
        label_studio::write(&tasks).map(|written| written.json).map_err(refused)
    }

    fn said<'s>(&self, sample: &'s PlannedSample, uri: S3Uri) -> Option<Said<'s>> {
        let record = sample.annotation.as_ref()?;
        let regions = carry(record, sample, self.settings).regions;
        let frame = Frame { width: sample.width, height: sample.height, kind: FrameKind::Displayed };
        let file_name = format!("{}.{}", sample.image_id, sample.extension());
        let record = Record {
            // It is about the rendition now.
            image: file_name.clone(),
            frame: Some(frame),
            regions: regions.into_iter().map(|(region, _)| region).collect(),
            ..record.clone()
        };
        Some(Said { sample, record, file_name, uri })
    }
}

/// What is said of a sample, in its pixels.
struct Said<'s> {
    sample: &'s PlannedSample,
    record: Record,
    file_name: String,
    uri: S3Uri,
}

impl Said<'_> {
    /// Label Studio is to find the rendition where it is.
    fn task<'t>(&'t self, image: &'t str) -> label_studio::Task<'t> {
        label_studio::Task { image, records: vec![&self.record], data: self.identity() }
    }

    fn entry(&self) -> coco::Entry<'_> {
        coco::Entry {
            record: &self.record,
            file_name: &self.file_name,
            size: (self.sample.width, self.sample.height),
            identity: self.identity(),
        }
    }

    fn identity(&self) -> Map<String, Value> {
        let fields = json!({
            "image_id": self.sample.image_id,
            "uri": self.uri,
            "source_uri": self.sample.source.uri,
            "source_key": self.sample.source.key,
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

fn refused(refusal: Box<Refusal>) -> RejectReason {
    RejectReason::new(RejectCode::InvalidAnnotations, refusal.to_string())
}
