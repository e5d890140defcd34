//! One item of a document: a task with its annotations, or an annotation with its task.

use serde_json::{Map, Value};

use super::annotation::Body;
use super::fields::{self, Problem, excerpt, salvage};
use super::{ReadItem, ReadOptions, Skipped};
use crate::json_items::parse_item;
use crate::{Item, Refusal, RefusalCode};

/// What item number `index` says.
pub(super) fn read(index: usize, text: &[u8], options: &ReadOptions) -> Vec<ReadItem> {
    let item = Item { index: Some(index as u64), ..Item::default() };
    let refuse =
        |item: Item, (code, detail): Problem| vec![ReadItem::Refused(Refusal { item, code, detail })];
    let max = options.limits.item_bytes;
    if text.len() > max {
        let detail = format!("{} bytes; the limit is {max}", text.len());
        return refuse(Item { task_id: salvage(text, "id"), ..item }, (RefusalCode::LimitExceeded, detail));
    }
    match parse_item::<Value>(text) {
        Err(problem) => refuse(Item { task_id: salvage(text, "id"), ..item }, problem),
        Ok(Value::Object(map)) => Task { item, options, found: Vec::new() }.read(map),
        Ok(other) => refuse(item, (RefusalCode::Malformed, format!("no task: {}", excerpt(&other)))),
    }
}

struct Task<'a> {
    item: Item,
    options: &'a ReadOptions,
    found: Vec<ReadItem>,
}

impl Task<'_> {
    fn read(mut self, mut map: Map<String, Value>) -> Vec<ReadItem> {
        // An annotation with its task inside: what S3 target storages write.
        if map.contains_key("result") && !map.contains_key("data") {
            let task = map.remove("task").unwrap_or_default();
            self.annotation_with_task(map, task);
            return self.found;
        }
        if !self.identify(&map) {
            return self.found;
        }
        let Some(data) = self.data(&mut map) else { return self.found };
        let annotations = map.remove("annotations").or_else(|| map.remove("completions"));
        let predictions = map.remove("predictions");
        let before = self.found.len();
        for (list, is_prediction) in [(annotations, false), (predictions, true)] {
            for body in self.list(list, if is_prediction { "predictions" } else { "annotations" }) {
                self.body(body, &data, is_prediction);
            }
        }
        for draft in self.list(map.remove("drafts"), "drafts") {
            self.skip(&draft, Skipped::Draft);
        }
        if self.found.len() == before {
            self.skip(&Value::Null, Skipped::NotAnnotated);
        }
        self.found
    }

    fn annotation_with_task(&mut self, annotation: Map<String, Value>, task: Value) {
        let Value::Object(mut task) = task else {
            self.item.task_id = task.as_i64();
            self.item.annotation_id = annotation.get("id").and_then(Value::as_i64);
            let detail = "the annotation does not have its task with it, and so no image".to_owned();
            return self.refuse((RefusalCode::NoImage, detail));
        };
        let identified = self.identify(&task);
        self.item.annotation_id = annotation.get("id").and_then(Value::as_i64);
        if !identified {
            return;
        }
        if let Some(data) = self.data(&mut task) {
            self.body(Value::Object(annotation), &data, false);
        }
    }

    fn identify(&mut self, task: &Map<String, Value>) -> bool {
        match fields::integer(task, "id") {
            Ok(id) => self.item.task_id = id,
            Err(problem) => {
                self.refuse(problem);
                return false;
            }
        }
        true
    }

    fn data(&mut self, task: &mut Map<String, Value>) -> Option<Map<String, Value>> {
        match task.remove("data") {
            Some(Value::Object(data)) => return Some(data),
            Some(other) => {
                self.refuse((RefusalCode::Malformed, format!("`data` is no object: {}", excerpt(&other))))
            }
            None => self.refuse((RefusalCode::NoImage, "the task has no `data`".to_owned())),
        }
        None
    }

    fn list(&mut self, list: Option<Value>, name: &str) -> Vec<Value> {
        match list {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.refuse((RefusalCode::Malformed, format!("`{name}` is no list: {}", excerpt(&other))));
                Vec::new()
            }
        }
    }

    fn body(&mut self, body: Value, data: &Map<String, Value>, is_prediction: bool) {
        match body {
            Value::Number(_) if is_prediction => self.skip(&body, Skipped::PredictionId),
            Value::Object(map) => {
                match fields::flag(&map, "was_cancelled") {
                    Ok(Some(true)) => return self.skip(&Value::Object(map), Skipped::Cancelled),
                    Ok(_) => {}
                    Err(problem) => return self.refuse(problem),
                }
                let (item, options) = (&self.item, self.options);
                match (Body { item, data, is_prediction, options }).read(map) {
                    Ok(found) => self.found.push(ReadItem::Record(Box::new(found))),
                    Err(refusals) => self.found.extend(refusals.into_iter().map(ReadItem::Refused)),
                }
            }
            other => self.refuse((RefusalCode::Malformed, format!("no annotation: {}", excerpt(&other)))),
        }
    }

    fn refuse(&mut self, (code, detail): Problem) {
        self.found.push(ReadItem::Refused(Refusal { item: self.item.clone(), code, detail }));
    }

    fn skip(&mut self, what: &Value, why: Skipped) {
        let annotation_id = what.as_i64().or_else(|| what.get("id").and_then(Value::as_i64));
        self.found.push(ReadItem::Skipped(Item { annotation_id, ..self.item.clone() }, why));
    }
}
