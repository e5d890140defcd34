//! Categories and their ids.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What a category is, apart from its number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CategoryDefinition {
    /// The label: unique in a dataset.
    pub name: String,
    /// COCO's `supercategory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supercategory: Option<String>,
    /// The names of a skeleton's joints, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keypoints: Vec<String>,
    /// Which joints are connected, counted from 1 as COCO does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skeleton: Vec<[u32; 2]>,
}

impl CategoryDefinition {
    /// A category that is no more than a label.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// A category that a file brings: its number is a wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedCategory {
    /// The number that the file gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// What it is.
    #[serde(flatten)]
    pub definition: CategoryDefinition,
}

/// A category of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its number, for ever.
    pub id: u32,
    /// What it is.
    #[serde(flatten)]
    pub definition: CategoryDefinition,
}

/// The categories of a dataset by name. Numbers are given once: more labels never move those that are there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registry {
    by_name: BTreeMap<String, Category>,
}

impl Registry {
    /// The category of a label.
    pub fn get(&self, name: &str) -> Option<&Category> {
        self.by_name.get(name)
    }

    /// Every category, by number.
    pub fn by_id(&self) -> Vec<&Category> {
        let mut all: Vec<_> = self.by_name.values().collect();
        all.sort_by_key(|category| category.id);
        all
    }

    /// Takes in what a file brings and returns the categories that are new. A wished number is given where it is free;
    /// else, and where there is no wish, the next above the highest, beginning with 1 (0 is the background to many
    /// trainers). What is known keeps its number and its definition.
    pub fn admit(&mut self, wanted: &[WantedCategory]) -> Vec<Category> {
        let mut new = Vec::new();
        let mut taken: BTreeSet<u32> = self.by_name.values().map(|category| category.id).collect();
        // Wishes first: no number that is asked for goes to somebody who did not care.
        let (wishing, rest): (Vec<_>, Vec<_>) = wanted.iter().partition(|wanted| wanted.id.is_some());
        for WantedCategory { id, definition } in wishing.into_iter().chain(rest) {
            if self.by_name.contains_key(&definition.name) {
                continue;
            }
            let next = taken.last().map_or(1, |highest| highest.saturating_add(1));
            let id = id.filter(|id| !taken.contains(id)).unwrap_or(next);
            taken.insert(id);
            let category = Category { id, definition: definition.clone() };
            self.by_name.insert(definition.name.clone(), category.clone());
            new.push(category);
        }
        new
    }
}

impl FromIterator<Category> for Registry {
    fn from_iter<T: IntoIterator<Item = Category>>(categories: T) -> Self {
        let named = |category: Category| (category.definition.name.clone(), category);
        Self { by_name: categories.into_iter().map(named).collect() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(id: Option<u32>, name: &str) -> WantedCategory {
        WantedCategory { id, definition: CategoryDefinition::named(name) }
    }

    fn numbers(registry: &Registry) -> Vec<(u32, &str)> {
        registry
            .by_id()
            .into_iter()
            .map(|category| (category.id, category.definition.name.as_str()))
            .collect()
    }

    #[test]
    fn wishes_are_granted_where_they_can_be() {
        let mut registry = Registry::default();
        // As in a real file of Roboflow, where sorting by name would swap the two.
        registry.admit(&[wanted(Some(0), "raccoons"), wanted(Some(1), "raccoon")]);
        assert_eq!(numbers(&registry), [(0, "raccoons"), (1, "raccoon")]);
        let new =
            registry.admit(&[wanted(Some(1), "zebra"), wanted(None, "ant"), wanted(Some(7), "raccoon")]);
        assert_eq!(numbers(&registry), [(0, "raccoons"), (1, "raccoon"), (2, "zebra"), (3, "ant")]);
        assert_eq!(new.len(), 2);
        let mut labels = Registry::default();
        labels.admit(&[wanted(None, "raccoon")]);
        assert_eq!(numbers(&labels), [(1, "raccoon")]);
    }

    proptest! {
        #[test]
        fn numbers_are_unique_and_never_move(
            files in prop::collection::vec(
                prop::collection::vec((prop::option::of(0_u32..9), "[a-h]"), 0..6), 0..6)
        ) {
            let mut registry = Registry::default();
            for file in files {
                let before = registry.clone();
                let file: Vec<_> = file.iter().map(|(id, name)| wanted(*id, name)).collect();
                registry.admit(&file);
                for category in before.by_id() {
                    prop_assert_eq!(registry.get(&category.definition.name), Some(category));
                }
                let mut ids: Vec<_> = numbers(&registry).iter().map(|(id, _)| *id).collect();
                ids.dedup();
                prop_assert_eq!(ids.len(), registry.by_id().len());
                prop_assert!(file.iter().all(|wanted| registry.get(&wanted.definition.name).is_some()));
            }
        }
    }
}
