//! Which of several records of one image is used.
//!
//! People before models, always: a suggestion that nobody confirmed is no annotation. Among people's: what reviewers
//! marked as the truth, then what was changed last, then the larger id. Exact duplicates of an image are one sample, and
//! so have one record: that of the first duplicate, by key, that has one.

use std::cmp::Ordering;

use crate::{Origin, Record, Region};

/// The name of these rules, as it is recorded beside what they choose.
pub const SELECTION_POLICY: &str = "human, ground truth, newest, id; first duplicate by key";

/// Why a record is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SetAside {
    /// A model's.
    Prediction,
    /// Another record of the same image goes first.
    Outranked,
    /// It is of an exact duplicate, and says the same as the record that is used.
    SameOfDuplicate,
    /// It is of an exact duplicate, and says something else than the record that is used.
    ConflictOfDuplicate,
}

impl SetAside {
    /// Every reason.
    pub const ALL: [Self; 4] =
        [Self::Prediction, Self::Outranked, Self::SameOfDuplicate, Self::ConflictOfDuplicate];

    /// The reason as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prediction => "prediction",
            Self::Outranked => "outranked",
            Self::SameOfDuplicate => "same_of_duplicate",
            Self::ConflictOfDuplicate => "conflict_of_duplicate",
        }
    }
}

/// What became of the records of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection<'a> {
    /// The record that is used; `None` where nobody has looked.
    pub used: Option<&'a Record>,
    /// The others.
    pub set_aside: Vec<(&'a Record, SetAside)>,
}

/// Chooses among the records of an image, given for each of its exact duplicates in key order.
pub fn select<'a>(duplicates: &[Vec<&'a Record>]) -> Selection<'a> {
    let best = |records: &Vec<&'a Record>| {
        records.iter().copied().filter(|record| is_human(record)).max_by(|one, other| rank(one, other))
    };
    let first = duplicates.iter().enumerate().find_map(|(copy, records)| Some((copy, best(records)?)));
    let mut set_aside = Vec::new();
    for (copy, records) in duplicates.iter().enumerate() {
        for record in records {
            if first.is_some_and(|(_, used)| std::ptr::eq(used, *record)) {
                continue;
            }
            let why = match first {
                _ if !is_human(record) => SetAside::Prediction,
                Some((from, used)) if from != copy => compare(used, record),
                _ => SetAside::Outranked,
            };
            set_aside.push((*record, why));
        }
    }
    Selection { used: first.map(|(_, used)| used), set_aside }
}

fn is_human(record: &Record) -> bool {
    matches!(record.origin, Origin::Human { .. })
}

fn rank(one: &Record, other: &Record) -> Ordering {
    let key = |record: &Record| (record.ground_truth, record.changed_at(), record.id.clone());
    key(one).cmp(&key(other))
}

/// Whether two records say the same, whatever their regions are called and in which order they come.
fn compare(used: &Record, other: &Record) -> SetAside {
    let anonymous = |record: &Record| {
        let unnamed = |region: &Region| {
            let region = Region { id: String::new(), parent: None, ..region.clone() };
            serde_json::to_string(&region).expect("a region is plain JSON")
        };
        let mut regions: Vec<_> = record.regions.iter().map(unnamed).collect();
        regions.sort();
        regions
    };
    if anonymous(used) == anonymous(other) {
        SetAside::SameOfDuplicate
    } else {
        SetAside::ConflictOfDuplicate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, Provenance, RecordId, Shape};

    fn record(id: &str, updated_at: &str, x: f64) -> Record {
        let bounds = Bounds { x, y: 0.0, width: 1.0, height: 1.0 };
        let region = Region::new(id, "car", Shape::Box(bounds));
        Record {
            id: RecordId::of(id),
            image: "a.jpg".to_owned(),
            frame: None,
            origin: Origin::Human { annotator: None },
            provenance: Provenance::Coco { image_id: 1 },
            created_at: None,
            updated_at: Some(updated_at.to_owned()),
            ground_truth: false,
            score: None,
            regions: vec![region],
        }
    }

    #[test]
    fn the_truth_goes_before_the_newest_and_people_before_models() {
        let old = record("old", "2026-01-01T00:00:00.5Z", 1.0);
        let new = record("new", "2026-01-01T00:00:01+00:00", 2.0);
        let model = Record {
            origin: Origin::Model { version: "m/1".to_owned() },
            ..record("model", "2026-02-01T00:00:00Z", 3.0)
        };
        let found = select(&[vec![&old, &new, &model]]);
        assert_eq!(found.used, Some(&new));
        assert_eq!(found.set_aside, [(&old, SetAside::Outranked), (&model, SetAside::Prediction)]);
        let truth = Record { ground_truth: true, ..old };
        assert_eq!(select(&[vec![&truth, &new]]).used, Some(&truth));
        let east = record("east", "2026-01-01T02:00:01.5+02:00", 4.0);
        assert_eq!(select(&[vec![&east, &new]]).used, Some(&east), "half a second later");
        assert_eq!(select(&[vec![&model]]).used, None);
        assert_eq!(select(&[]).used, None);
    }

    #[test]
    fn duplicates_have_the_record_of_the_first_that_has_one() {
        let (one, same) =
            (record("one", "2026-01-01T00:00:00Z", 1.0), record("same", "2026-03-01T00:00:00Z", 1.0));
        let other = record("other", "2026-03-01T00:00:00Z", 2.0);
        let found = select(&[vec![], vec![&one], vec![&same], vec![&other]]);
        assert_eq!(found.used, Some(&one));
        assert_eq!(
            found.set_aside,
            [(&same, SetAside::SameOfDuplicate), (&other, SetAside::ConflictOfDuplicate)]
        );
    }
}
