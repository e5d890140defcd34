//! A whole `result`: regions, and relations between them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::carried::{Extra, Relation};
use super::fields::{self, Problem, malformed};
use super::label_config::LabelConfig;
use super::piece::{self, Piece};
use super::shape::Budget;
use super::{EXTRA, Limits, region};
use crate::{Frame, FrameKind, RefusalCode, Region};

/// What is wrong, each with the region that it is wrong with.
pub(super) type Problems = Vec<(Option<String>, Problem)>;

/// What a `result` says.
#[derive(Debug, Default)]
pub(super) struct Statements {
    pub(super) regions: Vec<Region>,
    pub(super) frame: Option<Frame>,
}

/// Reads a `result`.
///
/// # Errors
/// All that is wrong with any of it.
pub(super) fn read(
    result: &[Value],
    config: Option<&LabelConfig>,
    limits: &Limits,
) -> Result<Statements, Problems> {
    if result.len() > limits.results {
        let detail = format!("{} entries; the limit is {}", result.len(), limits.results);
        return Err(vec![(None, (RefusalCode::LimitExceeded, detail))]);
    }
    let mut problems = Problems::new();
    let (groups, relations) = grouped(result, config, &mut problems);
    let frame = frame(&groups, &mut problems);
    let Limits { region_points, points, pixels, .. } = *limits;
    let mut budget = Budget { region_points, points, pixels };
    let mut regions = Vec::with_capacity(groups.len());
    for pieces in &groups {
        match region::region(pieces, frame, config, &mut budget) {
            Ok(region) => regions.push(region),
            Err(found) => {
                let id = pieces.first().map(|piece| piece.id.clone());
                problems.extend(found.into_iter().map(|problem| (id.clone(), problem)));
            }
        }
    }
    if problems.is_empty() {
        attach(relations, &mut regions, &mut problems);
    }
    if problems.is_empty() { Ok(Statements { regions, frame }) } else { Err(problems) }
}

/// The entries of each region in the order of their first ones, and the relations.
fn grouped<'a>(
    result: &'a [Value],
    config: Option<&LabelConfig>,
    problems: &mut Problems,
) -> (Vec<Vec<Piece<'a>>>, Vec<(String, Relation)>) {
    let (mut groups, mut relations) = (Vec::<Vec<_>>::new(), Vec::new());
    let mut places = HashMap::new();
    for (index, item) in result.iter().enumerate() {
        let Some(item) = item.as_object() else {
            problems.push((None, (RefusalCode::Malformed, format!("entry {index} is no object"))));
            continue;
        };
        match entry(index, item, config) {
            Ok(Entry::Relation(from, relation)) => relations.push((from, relation)),
            Ok(Entry::Piece(piece)) => {
                let place = *places.entry(piece.id.clone()).or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
                if let Some(group) = groups.get_mut(place) {
                    group.push(piece);
                }
            }
            Err(problem) => problems.push((piece::id(item, index).ok(), problem)),
        }
    }
    (groups, relations)
}

enum Entry<'a> {
    Piece(Piece<'a>),
    Relation(String, Relation),
}

fn entry<'a>(
    index: usize,
    item: &'a Map<String, Value>,
    config: Option<&LabelConfig>,
) -> Result<Entry<'a>, Problem> {
    match fields::text(item, "type")? {
        None => malformed(format!("entry {index} has no `type`")),
        Some("relation") => relation(item).map(|(from, relation)| Entry::Relation(from, relation)),
        Some(kind) => Piece::read(item, kind, piece::id(item, index)?, config).map(Entry::Piece),
    }
}

fn relation(item: &Map<String, Value>) -> Result<(String, Relation), Problem> {
    let end = |name: &str| match fields::text(item, name)? {
        Some(id) => Ok(id.to_owned()),
        None => malformed(format!("a relation has no `{name}`")),
    };
    let labels = fields::list(item, "labels")?;
    let Some(labels) = labels.map_or(Some(None), |labels| fields::texts(labels).map(Some)) else {
        return malformed("`labels` of a relation is no list of texts");
    };
    let direction = fields::text(item, "direction")?.map(str::to_owned);
    Ok((end("from_id")?, Relation { to: end("to_id")?, direction, labels }))
}

/// The size that all entries agree on, as far as they say one.
fn frame(groups: &[Vec<Piece<'_>>], problems: &mut Problems) -> Option<Frame> {
    let mut found: Option<(u32, u32)> = None;
    for piece in groups.iter().flatten() {
        match (piece.size(), found) {
            // What is wrong with a size is listed with the region.
            (Ok(None) | Err(_), _) => {}
            (Ok(Some(size)), None) => found = Some(size),
            (Ok(Some(size)), Some(first)) if size == first => {}
            (Ok(Some((width, height))), Some(first)) => {
                let detail = format!("drawn on {width}x{height}, others on {}x{}", first.0, first.1);
                problems.push((Some(piece.id.clone()), (RefusalCode::SizeConflict, detail)));
            }
        }
    }
    found.map(|(width, height)| Frame { width, height, kind: FrameKind::Displayed })
}

/// Puts each relation into the region that it begins at.
fn attach(relations: Vec<(String, Relation)>, regions: &mut [Region], problems: &mut Problems) {
    let mut places: HashMap<String, usize> = HashMap::new();
    places.extend(regions.iter().enumerate().map(|(place, region)| (region.id.clone(), place)));
    let mut of_region: HashMap<usize, Vec<Relation>> = HashMap::new();
    for (from, relation) in relations {
        match (places.get(&from), places.get(&relation.to)) {
            (Some(place), Some(_)) => of_region.entry(*place).or_default().push(relation),
            (known, _) => {
                let missing = if known.is_none() { &from } else { &relation.to };
                let detail = format!("a relation leads to region {missing:?}, which is not there");
                problems.push((Some(from), (RefusalCode::DanglingReference, detail)));
            }
        }
    }
    for (place, relations) in of_region {
        let Some(region) = regions.get_mut(place) else { continue };
        let known =
            region.attributes.get(EXTRA).cloned().and_then(|extra| serde_json::from_value(extra).ok());
        Extra { relations, ..known.unwrap_or_default() }.put(&mut region.attributes);
    }
}
