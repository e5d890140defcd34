//! Categories.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::fields::{Fields, Problem, excerpt, malformed, salvage};
use crate::{CategoryDefinition, Item, Refusal, RefusalCode, WantedCategory};

/// The categories of a file by their numbers in it.
#[derive(Default)]
pub(super) struct Categories {
    by_id: HashMap<i64, CategoryDefinition>,
    wanted: Vec<WantedCategory>,
}

impl Categories {
    pub(super) fn get(&self, id: i64) -> Option<&CategoryDefinition> {
        self.by_id.get(&id)
    }

    pub(super) fn into_wanted(self) -> Vec<WantedCategory> {
        self.wanted
    }

    /// Reads the list. Ids and names must be unique; the same category said twice is one.
    pub(super) fn read(
        items: &[&[u8]],
        refusals: &mut Vec<Refusal>,
        not_kept: &mut BTreeMap<String, u64>,
    ) -> Self {
        let mut categories = Self::default();
        for (index, item) in items.iter().enumerate() {
            if let Err((code, detail)) = categories.admit(item, not_kept) {
                let category_id = salvage(item, "id");
                let item = Item { index: Some(index as u64), category_id, ..Item::default() };
                refusals.push(Refusal { item, code, detail });
            }
        }
        categories
    }

    fn admit(&mut self, item: &[u8], not_kept: &mut BTreeMap<String, u64>) -> Result<(), Problem> {
        let mut fields = Fields::parse(item)?;
        let Some(id) = fields.integer("id")? else { return malformed("the category has no id") };
        let Ok(number) = u32::try_from(id) else {
            return malformed(format!("category ids are 0 to {}, not {id}", u32::MAX));
        };
        let definition = definition(&mut fields)?;
        for key in fields.rest().keys() {
            *not_kept.entry(format!("categories.{key}")).or_default() += 1;
        }
        if self.by_id.get(&id) == Some(&definition) {
            return Ok(());
        }
        let duplicate = |what: String| Err((RefusalCode::DuplicateId, what));
        if let Some(known) = self.by_id.get(&id) {
            return duplicate(format!("{:?} has the id of {:?}", definition.name, known.name));
        }
        if self.by_id.values().any(|known| known.name == definition.name) {
            return duplicate(format!("another category is named {:?}, too", definition.name));
        }
        self.by_id.insert(id, definition.clone());
        self.wanted.push(WantedCategory { id: Some(number), definition });
        Ok(())
    }
}

fn definition(fields: &mut Fields) -> Result<CategoryDefinition, Problem> {
    let Some(name) = fields.text("name")?.filter(|name| !name.is_empty()) else {
        return malformed("the category has no name");
    };
    Ok(CategoryDefinition {
        name,
        supercategory: fields.text("supercategory")?.filter(|name| !name.is_empty()),
        keypoints: list(fields, "keypoints")?,
        skeleton: list(fields, "skeleton")?,
    })
}

fn list<T: serde::de::DeserializeOwned>(fields: &mut Fields, name: &str) -> Result<Vec<T>, Problem> {
    let value = fields.take(name).unwrap_or(Value::Array(Vec::new()));
    serde_json::from_value(value.clone())
        .or_else(|error| malformed(format!("`{name}`: {error}: {}", excerpt(&value))))
}
