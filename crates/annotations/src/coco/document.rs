//! The outermost level of a COCO file.

use serde_json::{Map, Value};

use crate::json_items::{JsonEnd, Members, Root, parse_item, root};
use crate::{Item, Refusal, RefusalCode};

/// The most images, annotations or categories of a file: twice as many as the largest datasets have.
const MAX_ITEMS: usize = 2_000_000;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A COCO dataset: images, annotations, categories.
    Dataset,
    /// A list of COCO results: what a model found, for evaluation.
    Results,
}

/// Whether a document looks like COCO, told by its content; also one that is cut off.
pub fn looks_like(document: &[u8]) -> Option<Kind> {
    match root(document) {
        Root::Array(mut items) => {
            let first: Map<String, Value> = parse_item(items.next()?.ok()?).ok()?;
            let has = |key: &str| first.contains_key(key);
            let place = has("bbox") || has("segmentation") || has("keypoints");
            (has("image_id") && has("category_id") && has("score") && place).then_some(Kind::Results)
        }
        Root::Object(members) => {
            let sections = Sections::of(members);
            let lists =
                |name: &str| sections.all.iter().any(|(found, list)| found == name && list.starts_with(b"["));
            (lists("images") && (lists("annotations") || lists("categories"))).then_some(Kind::Dataset)
        }
        Root::Other => None,
    }
}

/// The lists of a document, not parsed yet.
pub(super) struct Sections<'a> {
    all: Vec<(String, &'a [u8])>,
    /// Why there is no more of it.
    pub(super) end: Option<JsonEnd>,
}

impl<'a> Sections<'a> {
    /// The lists of a COCO dataset.
    pub(super) fn find(document: &'a [u8]) -> Result<Self, Box<Refusal>> {
        let refuse = |detail: &str| {
            Box::new(Refusal {
                item: Item::default(),
                code: RefusalCode::Malformed,
                detail: detail.to_owned(),
            })
        };
        let Root::Object(members) = root(document) else {
            return Err(match looks_like(document) {
                Some(Kind::Results) => refuse(
                    "a list of COCO results: what a model found, without the images' names and sizes; annotations \
                     are in a file with `images`, `annotations` and `categories`",
                ),
                Some(Kind::Dataset) | None => refuse("no COCO file: the document is no object"),
            });
        };
        let sections = Self::of(members);
        if !sections.has("images") {
            return Err(refuse("no COCO dataset: there is no `images`"));
        }
        if !sections.has("annotations") {
            return Err(refuse("there is no `annotations`: nothing says that anybody looked at the images"));
        }
        Ok(sections)
    }

    fn of(mut members: Members<'a>) -> Self {
        let (mut all, mut end) = (Vec::new(), None);
        for member in members.by_ref() {
            match member {
                Ok(member) => all.push(member),
                Err(error) => end = Some(error),
            }
        }
        all.extend(end.and_then(|_| members.cut_off()));
        Self { all, end }
    }

    fn has(&self, name: &str) -> bool {
        self.all.iter().any(|(found, _)| found == name)
    }

    /// Every member that is none of the three lists.
    pub(super) fn others(&self) -> impl Iterator<Item = &str> {
        let names = self.all.iter().map(|(name, _)| name.as_str());
        names.filter(|name| !["images", "annotations", "categories"].contains(name))
    }

    /// The items of a list, unparsed, and why they end early.
    pub(super) fn items(&self, name: &str) -> (Vec<&'a [u8]>, Option<(RefusalCode, String)>) {
        let (mut items, mut end) = (Vec::new(), None);
        for (_, list) in self.all.iter().filter(|(found, _)| found == name) {
            let Root::Array(found) = root(list) else {
                end = Some((RefusalCode::Malformed, format!("`{name}` is no list")));
                continue;
            };
            for item in found {
                match item {
                    Ok(_) if items.len() == MAX_ITEMS => {
                        end = Some((RefusalCode::LimitExceeded, format!("more than {MAX_ITEMS} `{name}`")));
                        break;
                    }
                    Ok(item) => items.push(item),
                    Err(error) => {
                        let detail = match error {
                            JsonEnd::Truncated(_) => "the document ends",
                            JsonEnd::Unexpected(_) => "there is no comma",
                        };
                        end = Some((error.code(), format!("{detail} after {} of `{name}`", items.len())));
                    }
                }
            }
        }
        (items, end)
    }
}
