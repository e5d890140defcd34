//! A whole document, item by item.

use std::collections::{HashSet, VecDeque};

use super::label_config::about_image;
use super::{LabelConfig, ReadItem, ReadOptions, task};
use crate::json_items::{Items, JsonEnd, Root, root};
use crate::{CategoryDefinition, Item, Record, RecordId, Refusal, RefusalCode, Shape, WantedCategory};

/// Reads a document: what it has, in its order. One task at a time is in memory, and what is broken costs the record or
/// the task that it belongs to, and nothing else.
pub fn read<'a>(document: &'a [u8], options: &'a ReadOptions) -> Reader<'a> {
    let source = match root(document) {
        Root::Array(items) => Source::List(items, 0),
        Root::Object(mut members) => Source::Single(document, members.find_map(Result::err)),
        Root::Other => Source::Neither,
    };
    Reader { source, options, queue: VecDeque::new(), known: HashSet::new(), labels: Labels::default() }
}

/// What a document has; see [`read`].
#[derive(Debug)]
pub struct Reader<'a> {
    source: Source<'a>,
    options: &'a ReadOptions,
    queue: VecDeque<ReadItem>,
    known: HashSet<RecordId>,
    labels: Labels,
}

/// Labels of regions, each once, in order.
#[derive(Debug, Default)]
struct Labels {
    known: HashSet<String>,
    in_order: Vec<String>,
}

impl Labels {
    fn add(&mut self, record: &Record) {
        // What is said of an image without a label, in a text or a rating, bears the name of its control.
        let labelled = record
            .regions
            .iter()
            .filter(|region| !(region.shape == Shape::Image && about_image(region).is_some()));
        for label in labelled.flat_map(|region| &region.labels) {
            if !self.known.contains(label) {
                self.known.insert(label.clone());
                self.in_order.push(label.clone());
            }
        }
    }
}

#[derive(Debug)]
enum Source<'a> {
    List(Items<'a>, usize),
    /// The document is one item; and why it does not end as it should.
    Single(&'a [u8], Option<JsonEnd>),
    Neither,
    Done,
}

impl Reader<'_> {
    /// The categories, in order: those of the given label configuration, then those of other labels of regions that were
    /// read so far. What people chose for a region beside its label is an attribute.
    pub fn categories(&self) -> Vec<WantedCategory> {
        let given = self.options.label_config.as_ref().map(LabelConfig::categories).unwrap_or_default();
        let names: HashSet<_> = given.iter().map(|category| category.definition.name.clone()).collect();
        let others = self.labels.in_order.iter().filter(|label| !names.contains(*label));
        let others =
            others.map(|label| WantedCategory { id: None, definition: CategoryDefinition::named(label) });
        given.iter().cloned().chain(others).collect()
    }

    /// Reads the next item into the queue; whether there was one.
    fn advance(&mut self) -> bool {
        match std::mem::replace(&mut self.source, Source::Done) {
            Source::Done => return false,
            Source::Neither => self.refuse(None, RefusalCode::Malformed, "neither a list nor an object"),
            Source::Single(_, Some(end)) => self.refuse(Some(0), end.code(), &end.to_string()),
            Source::Single(document, None) => {
                let document = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
                self.queue.extend(task::read(0, document, self.options));
            }
            Source::List(mut items, index) => match items.next() {
                None => return false,
                Some(Err(end)) => self.refuse(Some(index as u64), end.code(), &end.to_string()),
                Some(Ok(text)) => {
                    self.queue.extend(task::read(index, text, self.options));
                    self.source = Source::List(items, index + 1);
                }
            },
        }
        true
    }

    fn refuse(&mut self, index: Option<u64>, code: RefusalCode, detail: &str) {
        let item = Item { index, ..Item::default() };
        self.queue.push_back(ReadItem::Refused(Refusal { item, code, detail: detail.to_owned() }));
    }

    /// A record that was there before is refused: the first stays.
    fn checked(&mut self, item: ReadItem) -> ReadItem {
        let ReadItem::Record(found) = &item else { return item };
        if self.known.insert(found.record.id.clone()) {
            self.labels.add(&found.record);
            return item;
        }
        let detail = "an annotation with this identity is in the file already".to_owned();
        ReadItem::Refused(Refusal { item: found.record.item(), code: RefusalCode::DuplicateId, detail })
    }
}

impl Iterator for Reader<'_> {
    type Item = ReadItem;

    fn next(&mut self) -> Option<ReadItem> {
        while self.queue.is_empty() {
            if !self.advance() {
                return None;
            }
        }
        let item = self.queue.pop_front()?;
        Some(self.checked(item))
    }
}
