//! Which image a record is about.
//!
//! Records name images in many ways, and files and images arrive in any order. So records are kept with the name as it
//! was written, and the names are looked up when they are needed, among the images that are there by then. The rules,
//! the first that fits decides:
//!
//! 1. the name is an S3 URI: that of the object that was ingested, or of its copy in bronze;
//! 2. the name, or the end of it after a `/`, is the whole key of an image in its dataset; the longest such end;
//! 3. the last part of the name is the file name of exactly one image of the dataset.
//!
//! Before rules 2 and 3, what tools put around a path is taken off: host and query of a URL, percent-encoding of URLs,
//! Label Studio's `/data/local-files/?d=` and `/data/upload/<project>/<8 hex digits>-`, and the
//! `images/<8 hex digits>__` of its COCO exports. Where two images fit, none is taken.

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use types::S3Uri;

use crate::RefusalCode;

/// The rule that found an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JoinRule {
    /// Its S3 URI.
    Uri,
    /// Its key.
    Key,
    /// Its file name.
    FileName,
}

impl JoinRule {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::Uri, Self::Key, Self::FileName];

    /// The rule as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uri => "uri",
            Self::Key => "key",
            Self::FileName => "file_name",
        }
    }
}

/// The images of a dataset by their names.
#[derive(Debug, Clone, Default)]
pub struct ImageIndex {
    uris: HashMap<S3Uri, usize>,
    keys: HashMap<String, usize>,
    /// `None` where several images have the file name.
    file_names: HashMap<String, Option<usize>>,
}

impl ImageIndex {
    /// Takes in image number `index`: its key in the dataset, the object it came from, its copy in bronze.
    pub fn add(&mut self, index: usize, key: &str, source: &S3Uri, bronze: &S3Uri) {
        self.uris.insert(source.clone(), index);
        self.uris.insert(bronze.clone(), index);
        self.keys.insert(key.to_owned(), index);
        self.file_names
            .entry(file_name(key).to_owned())
            .and_modify(|known| *known = None)
            .or_insert(Some(index));
    }

    /// The number of the image that `name` means, and how it was found.
    ///
    /// # Errors
    /// [`RefusalCode::ImageNotFound`] or [`RefusalCode::ImageAmbiguous`].
    pub fn find(&self, name: &str) -> Result<(usize, JoinRule), RefusalCode> {
        if let Some(found) = name.parse().ok().and_then(|uri: S3Uri| self.uris.get(&uri)) {
            return Ok((*found, JoinRule::Uri));
        }
        let mut ambiguous = false;
        for path in paths(name) {
            match self.find_path(&path) {
                Ok(found) => return Ok(found),
                Err(code) => ambiguous |= code == RefusalCode::ImageAmbiguous,
            }
        }
        Err(if ambiguous { RefusalCode::ImageAmbiguous } else { RefusalCode::ImageNotFound })
    }

    fn find_path(&self, path: &str) -> Result<(usize, JoinRule), RefusalCode> {
        let named = self.file_names.get(file_name(path));
        for end in ends(path) {
            // A file name alone says less than a key with folders: others may have it too.
            let certain = end.contains('/') || end == path || named.is_none_or(Option::is_some);
            if let Some(found) = self.keys.get(end).filter(|_| certain) {
                return Ok((*found, JoinRule::Key));
            }
        }
        match named {
            Some(Some(found)) => Ok((*found, JoinRule::FileName)),
            Some(None) => Err(RefusalCode::ImageAmbiguous),
            None => Err(RefusalCode::ImageNotFound),
        }
    }
}

/// What may be meant by a name, the likeliest first.
fn paths(name: &str) -> Vec<Cow<'_, str>> {
    let mut paths = Vec::new();
    if let Some(local) = name.split_once("/data/local-files/?d=").map(|(_, path)| path) {
        paths.push(decoded(local));
    } else if let Some(object) = name.strip_prefix("s3://") {
        // Keys in URIs are raw; some tools encode them all the same.
        paths.push(Cow::Borrowed(object));
        paths.push(decoded(object));
    } else if let Some((_, rest)) = name.split_once("://") {
        paths.push(decoded(rest.split(['?', '#']).next().unwrap_or_default()));
    } else {
        paths.push(Cow::Borrowed(name));
        paths.push(decoded(name));
    }
    let stripped = paths.iter().filter_map(|path| without_tag(path)).map(Cow::Owned);
    let stripped: Vec<_> = stripped.collect();
    paths.extend(stripped);
    paths
}

fn decoded(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8().unwrap_or(Cow::Borrowed(path))
}

/// The file name without the `1a2b3c4d-` or `1a2b3c4d__` that Label Studio puts before it.
fn without_tag(path: &str) -> Option<String> {
    let name = file_name(path);
    let (tag, rest) = name.split_at_checked(8)?;
    if !tag.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    Some(rest.strip_prefix("__").or_else(|| rest.strip_prefix('-'))?.to_owned())
}

/// The path, and what is after each of its slashes.
fn ends(path: &str) -> impl Iterator<Item = &str> {
    let after = path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..));
    std::iter::once(path).chain(after).filter(|end| !end.is_empty())
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(keys: &[&str]) -> ImageIndex {
        let mut index = ImageIndex::default();
        for (number, key) in keys.iter().enumerate() {
            let uri = |bucket: &str, key: String| S3Uri::new(bucket.parse().expect("a valid name"), key);
            let bronze = uri("bronze", format!("ds/images/0123456789abcdef-{key}"));
            index.add(number, key, &uri("inbox", format!("ds/{key}")), &bronze);
        }
        index
    }

    #[test]
    fn an_image_is_found_by_each_of_its_names() {
        let index = index(&["a.jpg", "x/b b.jpg", "y/c%20c.jpg", "d+d.jpg"]);
        for (name, number, rule) in [
            ("s3://inbox/ds/a.jpg", 0, JoinRule::Uri),
            ("s3://bronze/ds/images/0123456789abcdef-a.jpg", 0, JoinRule::Uri),
            ("s3://elsewhere/old/place/a.jpg", 0, JoinRule::Key),
            ("a.jpg", 0, JoinRule::Key),
            ("/home/me/x/b b.jpg", 1, JoinRule::Key),
            ("https://host:8/x/b%20b.jpg?X-Amz-Signature=1", 1, JoinRule::Key),
            ("/data/local-files/?d=photos/x/b%20b.jpg", 1, JoinRule::Key),
            ("train2017/b b.jpg", 1, JoinRule::FileName),
            ("y/c%20c.jpg", 2, JoinRule::Key),
            ("/data/upload/3/1a2b3c4d-a.jpg", 0, JoinRule::Key),
            ("images/1a2b3c4d__b b.jpg", 1, JoinRule::FileName),
            ("d+d.jpg", 3, JoinRule::Key),
        ] {
            assert_eq!(index.find(name), Ok((number, rule)), "{name}");
        }
        for name in ["", "e.jpg", "s3://inbox/ds/", "a.jpg/", "g1a2b3c4-a.jpg", "A.JPG"] {
            assert_eq!(index.find(name), Err(RefusalCode::ImageNotFound), "{name}");
        }
    }

    #[test]
    fn what_fits_two_images_is_refused() {
        let index = index(&["a.jpg", "x/a.jpg", "y/z/a.jpg"]);
        assert_eq!(index.find("a.jpg"), Ok((0, JoinRule::Key)));
        assert_eq!(index.find("photos/x/a.jpg"), Ok((1, JoinRule::Key)));
        assert_eq!(index.find("photos/y/z/a.jpg"), Ok((2, JoinRule::Key)));
        assert_eq!(index.find("z/a.jpg"), Err(RefusalCode::ImageAmbiguous));
        assert_eq!(index.find("photos/a.jpg"), Err(RefusalCode::ImageAmbiguous));
    }
}
