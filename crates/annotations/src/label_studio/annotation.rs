//! One annotation or prediction.

use serde_json::{Map, Value};

use super::fields::{self, Problem, excerpt, malformed};
use super::result::{self, Statements};
use super::{CARRIED, Found, IMAGE, ReadOptions, image};
use crate::header::Header;
use crate::{Item, Origin, Provenance, RecordId, Refusal, RefusalCode};

/// An annotation of a task.
pub(super) struct Body<'a> {
    /// What its refusals are about.
    pub(super) item: &'a Item,
    pub(super) data: &'a Map<String, Value>,
    pub(super) is_prediction: bool,
    pub(super) options: &'a ReadOptions,
}

impl Body<'_> {
    /// The record that it says.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(super) fn read(&self, mut annotation: Map<String, Value>) -> Result<Found, Vec<Refusal>> {
        let result = annotation.remove("result").unwrap_or_default();
        let mut refusals = Vec::new();
        let mut item =
            Item { annotation_id: fields::integer(&annotation, "id").ok().flatten(), ..self.item.clone() };
        let header = self.header(&annotation, &result);
        match &header {
            Ok(header) => item.image = Some(header.image.clone()),
            Err(problems) => {
                refusals.extend(problems.iter().map(|problem| refusal(&item, None, problem.clone())))
            }
        }
        let statements = match &result {
            Value::Array(list) => {
                result::read(list, self.options.label_config.as_ref(), &self.options.limits)
            }
            other => Err(vec![(
                None,
                (RefusalCode::Malformed, format!("`result` is no list: {}", excerpt(other))),
            )]),
        };
        match (header, statements) {
            (Ok(header), Ok(Statements { regions, frame })) => {
                let header =
                    Header { frame: frame.or(header.frame.filter(|_| regions.is_empty())), ..header };
                Ok(Found { record: header.with(regions), result })
            }
            (_, Err(problems)) => {
                refusals
                    .extend(problems.into_iter().map(|(region, problem)| refusal(&item, region, problem)));
                Err(refusals)
            }
            (Err(_), Ok(_)) => Err(refusals),
        }
    }

    /// All but the regions; the frame is theirs.
    pub(super) fn header(
        &self,
        annotation: &Map<String, Value>,
        result: &Value,
    ) -> Result<Header, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut noted = |problem: Problem| problems.push(problem);
        let carried = carried(annotation).map_err(&mut noted).ok().flatten();
        let image = self.image(result, carried.is_some()).map_err(&mut noted).ok();
        let origin = self.origin(annotation).map_err(&mut noted).ok();
        let id = fields::integer(annotation, "id").map_err(&mut noted).ok();
        let unique_id = fields::text(annotation, "unique_id").map_err(&mut noted).ok();
        let [created, updated] =
            ["created_at", "updated_at"].map(|name| fields::text(annotation, name).map_err(&mut noted).ok());
        let ground_truth = fields::flag(annotation, "ground_truth").map_err(&mut noted).ok();
        let score = self.score(annotation).map_err(&mut noted).ok();
        let (
            Some(image),
            Some(origin),
            Some(id),
            Some(unique_id),
            Some(created),
            Some(updated),
            Some(truth),
            Some(score),
            true,
        ) = (image, origin, id, unique_id, created, updated, ground_truth, score, problems.is_empty())
        else {
            return Err(problems);
        };
        if let Some(carried) = carried {
            return Ok(carried);
        }
        let provenance = Provenance::LabelStudio {
            task_id: self.item.task_id.unwrap_or(0),
            annotation_id: id.unwrap_or(0),
            unique_id: unique_id.map(str::to_owned),
        };
        Ok(Header {
            id: RecordId::of(&provenance.identity(&origin, &image)),
            image,
            frame: None,
            origin,
            provenance,
            created_at: created.map(str::to_owned),
            updated_at: updated.map(str::to_owned),
            ground_truth: truth.unwrap_or(false),
            score,
        })
    }

    fn image(&self, result: &Value, is_ours: bool) -> Result<String, Problem> {
        let mut to_names: Vec<_> = result
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item.get("to_name").and_then(Value::as_str))
            .collect();
        to_names.sort_unstable();
        to_names.dedup();
        match &self.options.label_config {
            None if is_ours => image::named(self.data, IMAGE),
            config => image::image(self.data, config.as_ref(), &to_names),
        }
    }

    fn origin(&self, annotation: &Map<String, Value>) -> Result<Origin, Problem> {
        if self.is_prediction {
            let version = fields::text(annotation, "model_version")?.unwrap_or_default();
            return Ok(Origin::Model { version: version.to_owned() });
        }
        Ok(Origin::Human { annotator: annotator(fields::value(annotation, "completed_by"))? })
    }

    fn score(&self, annotation: &Map<String, Value>) -> Result<Option<f64>, Problem> {
        // Annotations have none; servers give them other numbers under that name.
        if !self.is_prediction {
            return Ok(None);
        }
        match fields::number(annotation, "score")? {
            Some(score) if !(0.0..=1.0).contains(&score) => {
                Err((RefusalCode::OutOfRange, format!("`score` is {score}; 0 to 1 is taken")))
            }
            score => Ok(score),
        }
    }
}

fn refusal(item: &Item, region_id: Option<String>, (code, detail): Problem) -> Refusal {
    Refusal { item: Item { region_id, ..item.clone() }, code, detail }
}

fn carried(annotation: &Map<String, Value>) -> Result<Option<Header>, Problem> {
    let Some(value) = fields::value(annotation, CARRIED) else { return Ok(None) };
    serde_json::from_value(value.clone())
        .map(Some)
        .or_else(|error| malformed(format!("`{CARRIED}`: {error}")))
}

/// Who made an annotation: an id, or an object with id and e-mail address.
fn annotator(completed_by: Option<&Value>) -> Result<Option<String>, Problem> {
    match completed_by {
        None => Ok(None),
        Some(Value::Number(id)) if id.is_i64() => Ok(Some(id.to_string())),
        Some(Value::String(name)) => Ok(Some(name.clone())),
        Some(Value::Object(user)) => match (user.get("email"), user.get("id")) {
            (Some(Value::String(email)), _) if !email.is_empty() => Ok(Some(email.clone())),
            (_, id) => annotator(id.filter(|id| id.is_number())),
        },
        Some(other) => malformed(format!("`completed_by` is no user: {}", excerpt(other))),
    }
}
