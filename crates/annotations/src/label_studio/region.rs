//! The entries of `result` that are about one region, as that region.

use serde_json::{Map, Value};

use super::carried::{CarriedRegion, Extra, drawn, is_extra_of_result, is_extra_of_value};
use super::fields::{self, Problem, excerpt, malformed};
use super::form::fingerprint;
use super::label_config::LabelConfig;
use super::piece::{Piece, What};
use super::shape::{self, Budget, Geometry};
use super::{EXTRA, IMAGE, statement};
use crate::{Frame, RefusalCode, Region, Shape};

/// The region that entries with one id say.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn region(
    pieces: &[Piece<'_>],
    frame: Option<Frame>,
    config: Option<&LabelConfig>,
    budget: &mut Budget,
) -> Result<Region, Vec<Problem>> {
    let roles = Roles::of(pieces).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    let main = roles.main;
    let shape = noted(roles.shape(frame, budget), &mut problems);
    let labels = noted(roles.labels(config), &mut problems);
    let score = noted(score(main.item), &mut problems);
    let parent = noted(fields::text(main.item, "parentID"), &mut problems);
    let meta = noted(meta(pieces, main), &mut problems);
    problems.extend(pieces.iter().filter_map(|piece| piece.size().err()));
    problems.extend(pieces.iter().filter_map(|piece| unturned(piece.item).err()));
    let attributes = noted(roles.attributes(), &mut problems);
    let (
        true,
        Some(shape),
        Some(labels),
        Some(score),
        Some(parent),
        Some((meta, carried)),
        Some(mut attributes),
    ) = (problems.is_empty(), shape, labels, score, parent, meta, attributes)
    else {
        return Err(problems);
    };
    roles.extra(meta).put(&mut attributes);
    let region = Region {
        id: main.id.clone(),
        labels,
        shape,
        bounds: None,
        keypoints: Vec::new(),
        area: None,
        crowd: false,
        score,
        drawn: main.item.get("origin").and_then(drawn),
        parent: parent.map(str::to_owned),
        control: roles.control().map(str::to_owned),
        attributes,
    };
    Ok(match carried {
        Some(carried) => carried.restore(region, roles.geometry.map(|geometry| (geometry, main.value))),
        None => region,
    })
}

fn noted<T>(result: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

/// Who says what.
struct Roles<'a> {
    /// Says where it is; or, of the whole image, the first.
    main: &'a Piece<'a>,
    geometry: Option<Geometry>,
    /// Says what it is, if that is not `main`.
    labels: Option<&'a Piece<'a>>,
    others: Vec<&'a Piece<'a>>,
}

impl<'a> Roles<'a> {
    fn of(pieces: &'a [Piece<'a>]) -> Result<Self, Problem> {
        let is_labels =
            |piece: &&Piece<'_>| matches!(piece.what, What::Statement(kind) if kind.name == "labels");
        let placed = |piece: &&Piece<'_>| matches!(piece.what, What::Shape(_) | What::Labelled(_));
        let mut shapes = pieces.iter().filter(placed);
        let (shape, second) = (shapes.next(), shapes.next());
        if second.is_some() {
            return Err((RefusalCode::DuplicateId, "two shapes have this id".to_owned()));
        }
        // Generic labels may bring the shape along.
        let found = |piece: &Piece<'_>| Geometry::found_in(piece.value);
        let bare = || pieces.iter().find(|piece| is_labels(piece) && found(piece).is_some());
        let Some(main) = shape.or_else(bare).or(pieces.first()) else { return malformed("nothing is said") };
        let (geometry, labels) = match main.what {
            What::Labelled(geometry) => (Some(geometry), None),
            What::Shape(geometry) => (Some(geometry), pieces.iter().find(is_labels)),
            What::Statement(kind) if kind.name == "labels" => (found(main), None),
            What::Statement(_) => (None, None),
        };
        let is = |piece: &Piece<'_>, role: &Piece<'_>| std::ptr::eq(piece, role);
        let others =
            pieces.iter().filter(|piece| !is(piece, main) && !labels.is_some_and(|labels| is(piece, labels)));
        let roles = Self { main, geometry, labels, others: others.collect() };
        match geometry {
            None if is_labels(&main) => malformed("these labels are of no shape"),
            None if pieces.iter().any(|piece| found(piece).is_some()) => {
                malformed("the shape that this is about is not there")
            }
            None => Ok(roles),
            Some(geometry) => {
                let own = fingerprint(geometry, main.value);
                let moved =
                    |piece: &Piece<'_>| found(piece).is_some() && fingerprint(geometry, piece.value) != own;
                if pieces.iter().any(moved) {
                    return Err((
                        RefusalCode::DuplicateId,
                        "entries with this id say different places".to_owned(),
                    ));
                }
                Ok(roles)
            }
        }
    }

    fn shape(&self, frame: Option<Frame>, budget: &mut Budget) -> Result<Shape, Problem> {
        let Some(geometry) = self.geometry else { return Ok(Shape::Image) };
        match (frame, self.main.size()) {
            (Some(frame), Ok(Some(_)) | Err(_)) => shape::shape(geometry, self.main.value, frame, budget),
            // The mistake in the size is listed with those of the other entries.
            (None, Err(_)) => Ok(Shape::Image),
            (_, Ok(_)) => {
                Err((RefusalCode::NoSize, "there is no `original_width` and `original_height`".to_owned()))
            }
        }
    }

    fn labels(&self, config: Option<&LabelConfig>) -> Result<Vec<String>, Problem> {
        let (piece, key) = match (self.labels, self.main.what) {
            (Some(piece), _) => (piece, "labels"),
            (None, What::Labelled(geometry)) => (self.main, geometry.labels_name()),
            (None, What::Statement(kind)) if kind.names_labels() => (self.main, kind.key),
            // Something about the whole image that is no label: the control's name is what it is about.
            (None, What::Statement(_)) => return Ok(vec![self.main.control.to_owned()]),
            (None, What::Shape(_)) => {
                return Err((RefusalCode::NoLabel, "nothing says what it is".to_owned()));
            }
        };
        let labels = fields::list(piece.value, key)?.unwrap_or_default();
        if labels.is_empty() {
            return Err((RefusalCode::NoLabel, format!("`{key}` is empty")));
        }
        let Some(labels) = fields::texts(labels) else {
            return malformed(format!("`{key}` is no list of texts: {}", excerpt(&Value::from(labels))));
        };
        if labels.iter().any(String::is_empty) {
            return Err((RefusalCode::NoLabel, format!("`{key}` has an empty label")));
        }
        let unknown = config.and_then(|config| config.unknown(piece.control, &labels));
        match unknown {
            Some(label) => Err((
                RefusalCode::UnknownLabel,
                format!("control {:?} of the label configuration has no label {label:?}", piece.control),
            )),
            None => Ok(labels),
        }
    }

    /// The control of the shape; of labels that brought theirs along, it is that of the labels.
    fn control(&self) -> Option<&str> {
        (!self.is_bare()).then_some(self.main.control)
    }

    fn is_bare(&self) -> bool {
        matches!(self.main.what, What::Statement(_)) && self.geometry.is_some()
    }

    fn attributes(&self) -> Result<Map<String, Value>, Problem> {
        let mut attributes = Map::new();
        let about_image = match self.main.what {
            What::Statement(kind) if !kind.names_labels() => Some((self.main, kind, None)),
            What::Statement(_) | What::Shape(_) | What::Labelled(_) => None,
        };
        let others = self.others.iter().filter_map(|piece| match piece.what {
            What::Statement(kind) => Some((*piece, kind, fields::value(piece.item, "score"))),
            What::Shape(_) | What::Labelled(_) => None,
        });
        for (piece, kind, score) in about_image.into_iter().chain(others) {
            if piece.control == EXTRA {
                return malformed(format!("a control may not have the name {EXTRA:?}"));
            }
            if score.is_some_and(|score| !score.is_number()) {
                return malformed("`score` is no number");
            }
            let attribute = statement::attribute(kind, piece.value, score)?;
            if attributes.insert(piece.control.to_owned(), Value::Object(attribute)).is_some() {
                let detail = format!("control {:?} says something of it twice", piece.control);
                return Err((RefusalCode::DuplicateId, detail));
            }
        }
        Ok(attributes)
    }

    fn extra(&self, meta: Map<String, Value>) -> Extra {
        let item = self.main.item;
        let others = |map: &Map<String, Value>, is_extra: &dyn Fn(&str, &Value) -> bool| {
            let extra = map.iter().filter(|(key, value)| is_extra(key, value));
            extra.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        // Of the whole image, and no label: `value` is in the attributes as it is.
        let is_attribute = self.geometry.is_none() && !self.main.names_labels();
        let value = match is_attribute {
            true => Map::new(),
            false => others(self.main.value, &|key, _| is_extra_of_value(key)),
        };
        let to_name = item.get("to_name").and_then(Value::as_str);
        let labels = self.labels.map(|piece| piece.control).or(self.is_bare().then_some(self.main.control));
        Extra {
            labels_control: labels.map(str::to_owned),
            to_name: to_name.filter(|name| *name != IMAGE).map(str::to_owned),
            meta,
            relations: Vec::new(),
            value,
            result: others(item, &is_extra_of_result),
        }
    }
}

impl Piece<'_> {
    fn names_labels(&self) -> bool {
        matches!(self.what, What::Statement(kind) if kind.names_labels())
    }
}

fn score(item: &Map<String, Value>) -> Result<Option<f64>, Problem> {
    match fields::number(item, "score")? {
        Some(score) if !(0.0..=1.0).contains(&score) => {
            Err((RefusalCode::OutOfRange, format!("`score` is {score}; 0 to 1 is taken")))
        }
        score => Ok(score),
    }
}

/// What people noted, and what we carried with it.
fn meta(
    pieces: &[Piece<'_>],
    main: &Piece<'_>,
) -> Result<(Map<String, Value>, Option<CarriedRegion>), Problem> {
    let mut all = std::iter::once(main).chain(pieces).filter_map(|piece| fields::value(piece.item, "meta"));
    match all.next() {
        None => Ok((Map::new(), None)),
        Some(Value::Object(meta)) => {
            let mut meta = meta.clone();
            let carried = CarriedRegion::take(&mut meta)?;
            Ok((meta, carried))
        }
        Some(other) => malformed(format!("`meta` is no object: {}", excerpt(other))),
    }
}

fn unturned(item: &Map<String, Value>) -> Result<(), Problem> {
    match fields::number(item, "image_rotation")? {
        None | Some(0.0) => Ok(()),
        Some(rotation) => {
            let detail = format!("the image was turned by {rotation} degrees in the editor");
            Err((RefusalCode::RotatedImage, detail))
        }
    }
}
