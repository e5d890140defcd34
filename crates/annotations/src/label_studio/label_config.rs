//! Label Studio's label configuration: which controls a project has, and which labels they offer.

mod xml;

use std::collections::HashSet;

use serde_json::Value;

use super::carried::Extra;
use super::shape::Geometry;
use super::{IMAGE, statement};
use crate::{CategoryDefinition, Record, Region, Registry, Shape, WantedCategory};

pub use xml::is_sayable;

/// Why something is no label configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelConfigError {
    /// It is not XML, or XML that asks for more than is given.
    #[error("the label configuration cannot be read: {0}")]
    Xml(String),
    /// There is nothing in it to label.
    #[error("the label configuration has no <Image>")]
    NoImage,
    /// Two tags have the same name.
    #[error("the label configuration has two tags with the name {0:?}")]
    SameName(String),
    /// A category that is no number.
    #[error("the label configuration gives label {label:?} the category {category:?}, which is no number")]
    Category {
        /// The label.
        label: String,
        /// What is written.
        category: String,
    },
}

/// A label that a control offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// What results say: its `alias` if it has one.
    pub name: String,
    /// Its number in COCO, where the configuration gives one.
    pub category: Option<u32>,
}

/// A tag that people label with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Its tag: `RectangleLabels`, `Choices`.
    pub tag: String,
    /// What results name it by (`from_name`).
    pub name: String,
    /// The object that it labels (`toName`).
    pub to_name: String,
    /// What it offers, in order.
    pub labels: Vec<Label>,
    /// Tasks bring further labels (`value="$…"`).
    pub dynamic: bool,
}

/// A tag that shows an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageTag {
    /// What controls name it by.
    pub name: String,
    /// The key of the task's data that names the image.
    pub key: String,
}

/// The part of a label configuration that annotations refer to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelConfig {
    /// The images, in order.
    pub images: Vec<ImageTag>,
    /// The controls, in order.
    pub controls: Vec<Control>,
}

impl LabelConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// It is no XML, is ambiguous, or shows no image.
    pub fn parse(xml: &str) -> Result<Self, LabelConfigError> {
        xml::parse(xml)
    }

    /// A configuration that offers everything that records say, in the order in which they say it.
    pub fn infer<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut config = Self::default();
        records.into_iter().for_each(|record| config.add(record));
        config
    }

    /// Adds what a record says.
    pub fn add(&mut self, record: &Record) {
        if self.images.is_empty() {
            self.images.push(ImageTag { name: IMAGE.to_owned(), key: IMAGE.to_owned() });
        }
        let ids = record.regions.iter().map(|region| region.id.as_str()).collect();
        for region in &record.regions {
            self.add_region(region, &ids);
        }
    }

    /// The control that results name.
    pub fn control(&self, name: &str) -> Option<&Control> {
        self.controls.iter().find(|control| control.name == name)
    }

    /// The first of some labels that a control does not offer. Controls that are unknown offer none.
    pub fn unknown<'a>(&self, control: &str, labels: &'a [String]) -> Option<&'a String> {
        let control = self.control(control);
        let offers = |label: &String| {
            control
                .is_some_and(|control| control.dynamic || control.labels.iter().any(|own| own.name == *label))
        };
        labels.iter().find(|label| !offers(label))
    }

    /// Every label once, in order, with the number that it is given first.
    pub fn categories(&self) -> Vec<WantedCategory> {
        let mut categories: Vec<WantedCategory> = Vec::new();
        for label in self.controls.iter().flat_map(|control| &control.labels) {
            match categories.iter_mut().find(|known| known.definition.name == label.name) {
                Some(known) => known.id = known.id.or(label.category),
                None => categories.push(WantedCategory {
                    id: label.category,
                    definition: CategoryDefinition::named(label.name.clone()),
                }),
            }
        }
        categories
    }

    /// The configuration as XML. A label has the number of its category where it is offered first: with the number at
    /// two places, the Label Studio SDK lists the category twice, without any it numbers labels by the alphabet. What
    /// XML cannot hold, such as a label with control characters, is left out.
    pub fn to_xml(&self, categories: &Registry) -> String {
        xml::write(self, categories)
    }

    fn add_region(&mut self, region: &Region, ids: &HashSet<&str>) {
        let extra = Extra::of(region, ids).unwrap_or_default();
        let to_name = extra.to_name.as_deref().unwrap_or(IMAGE);
        match (geometry(&region.shape), &extra.labels_control) {
            (None, _) => {
                let about = about_image(region);
                let (tag, labels) = match &about {
                    Some(tag) => (*tag, &[][..]),
                    None => ("Choices", region.labels.as_slice()),
                };
                self.offer(tag, region.control.as_deref().unwrap_or(CHOICES), to_name, labels);
            }
            (Some(geometry), None) => {
                let (tag, name) = (labels_tag(geometry), region.control.as_deref());
                self.offer(tag, name.unwrap_or(default_control(geometry)), to_name, &region.labels);
            }
            (Some(geometry), Some(labels)) => {
                if let Some(control) = &region.control {
                    self.offer(shape_tag(geometry), control, to_name, &[]);
                }
                self.offer("Labels", labels, to_name, &region.labels);
            }
        }
        for (control, attribute) in &region.attributes {
            let Some((kind, value, _)) = statement::of_attribute(attribute) else { continue };
            let labels = value.get(kind.key).and_then(Value::as_array).filter(|_| kind.names_labels());
            let labels: Vec<_> =
                labels.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
            self.offer(statement_tag(kind.name), control, to_name, &labels);
        }
    }

    fn offer(&mut self, tag: &str, name: &str, to_name: &str, labels: &[String]) {
        let known = self.controls.iter().position(|control| control.name == name);
        let place = known.unwrap_or_else(|| {
            self.controls.push(Control {
                tag: tag.to_owned(),
                name: name.to_owned(),
                to_name: to_name.to_owned(),
                labels: Vec::new(),
                dynamic: false,
            });
            self.controls.len() - 1
        });
        let Some(control) = self.controls.get_mut(place) else { return };
        for label in labels {
            if !control.labels.iter().any(|known| known.name == *label) {
                control.labels.push(Label { name: label.clone(), category: None });
            }
        }
    }
}

/// The control of choices that have none.
pub(super) const CHOICES: &str = "choices";

/// The control of shapes that have none.
pub(super) const fn default_control(geometry: Geometry) -> &'static str {
    geometry.name()
}

fn geometry(shape: &Shape) -> Option<Geometry> {
    match shape {
        Shape::Image => None,
        Shape::Box(_) | Shape::RotatedBox { .. } => Some(Geometry::Rectangle),
        Shape::Polygon { polygons, .. } => Some(match polygons.as_slice() {
            [polygon] if polygon.holes.is_empty() => Geometry::Polygon,
            _ => Geometry::Brush,
        }),
        Shape::Point { .. } => Some(Geometry::Keypoint),
        Shape::Ellipse { .. } => Some(Geometry::Ellipse),
        Shape::Mask(_) => Some(Geometry::Brush),
    }
}

/// The tag of a statement about the whole image that is no label.
pub(super) fn about_image(region: &Region) -> Option<&'static str> {
    let control = region.control.as_deref()?;
    let (kind, ..) = statement::of_attribute(region.attributes.get(control)?)?;
    (!kind.names_labels() && region.labels == [control]).then(|| statement_tag(kind.name))
}

const fn labels_tag(geometry: Geometry) -> &'static str {
    match geometry {
        Geometry::Rectangle => "RectangleLabels",
        Geometry::Polygon => "PolygonLabels",
        Geometry::Brush => "BrushLabels",
        Geometry::Ellipse => "EllipseLabels",
        Geometry::Keypoint => "KeyPointLabels",
    }
}

const fn shape_tag(geometry: Geometry) -> &'static str {
    match geometry {
        Geometry::Rectangle => "Rectangle",
        Geometry::Polygon => "Polygon",
        Geometry::Brush => "Brush",
        Geometry::Ellipse => "Ellipse",
        Geometry::Keypoint => "KeyPoint",
    }
}

fn statement_tag(name: &str) -> &'static str {
    match name {
        "choices" => "Choices",
        "textarea" => "TextArea",
        "rating" => "Rating",
        "number" => "Number",
        "taxonomy" => "Taxonomy",
        "datetime" => "DateTime",
        _ => "Labels",
    }
}

#[cfg(test)]
mod tests;
