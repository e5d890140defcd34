//! A whole file.

use std::collections::HashMap;

use super::annotation::{self, Context};
use super::category::Categories;
use super::document::Sections;
use super::fields::{Fields, Problem, salvage};
use super::image::Image;
use super::{Import, ReadOptions};
use crate::{Item, Refusal, RefusalCode, Region};

/// Reads a COCO dataset. What is broken costs the image that it belongs to, and nothing else.
///
/// # Errors
/// The document as a whole is no COCO dataset, or says nothing of its images.
pub fn read(document: &[u8], options: &ReadOptions) -> Result<Import, Box<Refusal>> {
    let sections = Sections::find(document)?;
    let mut import = Import::default();
    for name in sections.others() {
        *import.not_kept.entry(name.to_owned()).or_default() += 1;
    }
    let (categories, end) = sections.items("categories");
    import.refusals.extend(end.map(of_the_file));
    let categories = Categories::read(&categories, &mut import.refusals, &mut import.not_kept);

    let (images, end) = sections.items("images");
    import.refusals.extend(end.map(of_the_file));
    let images = images.iter().enumerate();
    let images =
        images.map(|(index, text)| Image::read(index, text, options, &mut import.not_kept)).collect();

    let said = import.refusals.iter().any(|refusal| refusal.item == Item::default());
    let (annotations, end) = sections.items("annotations");
    let mut reader = Reader::new(images, &categories, options);
    for (index, text) in annotations.iter().enumerate() {
        reader.annotation(index, text);
    }
    if let Some(end) = end {
        reader.refuse_the_unfinished(end.0);
        import.refusals.push(of_the_file(end));
    } else if let Some(end) = sections.end {
        let detail = "the document does not end as it should; all annotations are there".to_owned();
        import.refusals.extend((!said).then(|| of_the_file((end.code(), detail))));
    }
    reader.refuse_equal_records();
    import.refusals.extend(reader.lost);
    for image in reader.images {
        match image.into_record() {
            Ok(record) => import.records.push(record),
            Err(refusals) => import.refusals.extend(refusals),
        }
    }
    import.categories = categories.into_wanted();
    Ok(import)
}

fn of_the_file((code, detail): Problem) -> Refusal {
    Refusal { item: Item::default(), code, detail }
}

struct Reader<'a> {
    images: Vec<Image>,
    by_id: HashMap<i64, usize>,
    categories: &'a Categories,
    options: &'a ReadOptions,
    /// The image of each annotation id.
    annotations: HashMap<i64, usize>,
    order: Order,
    /// Refusals of annotations that belong to no image of the file.
    lost: Vec<Refusal>,
}

impl<'a> Reader<'a> {
    fn new(mut images: Vec<Image>, categories: &'a Categories, options: &'a ReadOptions) -> Self {
        let mut by_id = HashMap::new();
        let mut twice = Vec::new();
        for (index, image) in images.iter().enumerate() {
            let Some(id) = image.item.image_id else { continue };
            match by_id.get(&id) {
                Some(first) => twice.extend([*first, index]),
                None => drop(by_id.insert(id, index)),
            }
        }
        twice.sort_unstable();
        twice.dedup();
        for index in twice {
            if let Some(image) = images.get_mut(index) {
                image.refuse(RefusalCode::DuplicateId, "several images have this id");
            }
        }
        let (annotations, order, lost) = (HashMap::new(), Order { last: 0, same: true }, Vec::new());
        Self { images, by_id, categories, options, annotations, order, lost }
    }

    fn annotation(&mut self, index: usize, text: &[u8]) {
        let [id, image_id, category_id] = ["id", "image_id", "category_id"].map(|name| salvage(text, name));
        let item =
            Item { index: Some(index as u64), annotation_id: id, image_id, category_id, ..Item::default() };
        let Some(place) = image_id.and_then(|id| self.by_id.get(&id)).copied() else {
            let problem = match (image_id, Fields::parse(text)) {
                (_, Err(problem)) => problem,
                (Some(id), Ok(_)) => (RefusalCode::DanglingReference, format!("there is no image {id}")),
                (None, Ok(_)) => (RefusalCode::Malformed, "the annotation has no `image_id`".to_owned()),
            };
            self.lost.push(Refusal { item, code: problem.0, detail: problem.1 });
            return;
        };
        self.order.note(place);
        self.note_id(id, place);
        let region = self.region(text, place);
        let max = self.options.limits.annotations;
        let Some(image) = self.images.get_mut(place) else { return };
        image.annotations += 1;
        if image.annotations == max + 1 {
            image.refuse(RefusalCode::LimitExceeded, format!("more than {max} annotations"));
        }
        if image.annotations > max {
            return;
        }
        let name = image.item.image.clone();
        let problems = region.and_then(|region| add(&mut image.regions, region)).err().unwrap_or_default();
        let refusal =
            |(code, detail)| Refusal { item: Item { image: name.clone(), ..item.clone() }, code, detail };
        image.refusals.extend(problems.into_iter().map(refusal));
    }

    /// Annotation ids are unique in a file; two images that share one are both refused.
    fn note_id(&mut self, id: Option<i64>, place: usize) {
        let Some(id) = id else { return };
        let Some(first) = self.annotations.insert(id, place) else { return };
        for place in if first == place { vec![place] } else { vec![first, place] } {
            if let Some(image) = self.images.get_mut(place) {
                let item = Item { annotation_id: Some(id), ..image.item.clone() };
                let detail = "several annotations have this id".to_owned();
                image.refusals.push(Refusal { item, code: RefusalCode::DuplicateId, detail });
            }
        }
    }

    fn region(&self, text: &[u8], place: usize) -> Result<Region, Vec<Problem>> {
        let one = |problem: Problem| vec![problem];
        let malformed = |detail: &str| one((RefusalCode::Malformed, detail.to_owned()));
        let mut fields = Fields::parse(text).map_err(one)?;
        fields.take("image_id");
        let id = fields.integer("id").map_err(one)?.ok_or_else(|| malformed("the annotation has no id"))?;
        let category = fields.integer("category_id").map_err(one)?;
        let category = category.ok_or_else(|| malformed("the annotation has no `category_id`"))?;
        let Some(category) = self.categories.get(category) else {
            return Err(one((RefusalCode::DanglingReference, format!("there is no category {category}"))));
        };
        let Some(frame) = self.images.get(place).and_then(|image| image.frame) else {
            // The image is refused anyway, and without its size nothing can be said.
            return Err(Vec::new());
        };
        let max_points = self.options.limits.points;
        annotation::region(fields, &Context { id, category, frame, max_points })
    }

    /// `annotations` ends early: which images have all of theirs can only be told if they come in the images' order.
    fn refuse_the_unfinished(&mut self, code: RefusalCode) {
        for (place, image) in self.images.iter_mut().enumerate() {
            let detail = if image.annotations == 0 {
                "no annotation of it was found, but `annotations` ends early"
            } else if !self.order.same {
                "`annotations` ends early and is not in the order of `images`: some of this image may be missing"
            } else if place == self.order.last {
                "`annotations` ends early: some of this image may be missing"
            } else {
                continue;
            };
            image.refuse(code, detail);
        }
    }

    fn refuse_equal_records(&mut self) {
        let mut places: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, image) in self.images.iter().enumerate() {
            if let Some(id) = image.record_id() {
                places.entry(id).or_default().push(place);
            }
        }
        for place in places.into_values().filter(|places| places.len() > 1).flatten() {
            if let Some(image) = self.images.get_mut(place) {
                image.refuse(RefusalCode::DuplicateId, "several images have this file name");
            }
        }
    }
}

/// Adds a region, or its label to the region that it is another label of.
fn add(regions: &mut Vec<Region>, region: Region) -> Result<(), Vec<Problem>> {
    let Some(known) = regions.iter_mut().find(|known| known.id == region.id) else {
        regions.push(region);
        return Ok(());
    };
    let Region { labels, .. } = region.clone();
    if (Region { labels: known.labels.clone(), ..region }) == *known {
        known.labels.extend(labels);
        return Ok(());
    }
    Err(vec![(RefusalCode::DuplicateId, format!("region {:?} is there twice", known.id))])
}

/// In which order annotations come.
struct Order {
    /// The image of the latest.
    last: usize,
    /// Whether they come in the order of `images`.
    same: bool,
}

impl Order {
    fn note(&mut self, place: usize) {
        self.same &= place >= self.last;
        self.last = place;
    }
}
