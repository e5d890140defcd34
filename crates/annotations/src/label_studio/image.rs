//! Which image a task is about.

use serde_json::{Map, Value};

use super::fields::{Problem, excerpt, malformed};
use super::{IMAGE, LabelConfig};
use crate::RefusalCode;

/// Ends of names of images.
const EXTENSIONS: [&str; 14] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "tif", "tiff", "webp", "avif", "heic", "jp2", "dng"];

/// The image that results which name these objects are about, as the data of their task names it.
pub(super) fn image(
    data: &Map<String, Value>,
    config: Option<&LabelConfig>,
    to_names: &[&str],
) -> Result<String, Problem> {
    if let Some(config) = config {
        return named(data, key(config, to_names)?);
    }
    let mut candidates: Vec<_> = data
        .iter()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .filter(|(key, text)| looks_like_image(text) || (*key == IMAGE && !text.is_empty()))
        .collect();
    if let [to_name] = to_names
        && candidates.iter().any(|(key, _)| key == to_name)
    {
        candidates.retain(|(key, _)| key == to_name);
    }
    let Some((_, first)) = candidates.first() else { return named(data, IMAGE) };
    if candidates.iter().any(|(_, other)| other != first) {
        let keys: Vec<_> = candidates.iter().map(|(key, _)| *key).collect();
        let detail = format!("{} may all be the image; the label configuration says which", keys.join(", "));
        return Err((RefusalCode::SeveralImages, detail));
    }
    Ok((*first).to_owned())
}

/// The data key of the image.
fn key<'a>(config: &'a LabelConfig, to_names: &[&str]) -> Result<&'a str, Problem> {
    let labelled = |name: &str| to_names.is_empty() || to_names.contains(&name);
    let mut keys: Vec<_> =
        config.images.iter().filter(|image| labelled(&image.name)).map(|image| image.key.as_str()).collect();
    keys.dedup();
    match keys.as_slice() {
        [key] => Ok(key),
        [] => malformed(format!("the label configuration has no image {:?}", to_names.join(", "))),
        keys => Err((RefusalCode::SeveralImages, format!("{} are all images", keys.join(", ")))),
    }
}

/// The image that a data key names.
pub(super) fn named(data: &Map<String, Value>, key: &str) -> Result<String, Problem> {
    match data.get(key) {
        Some(Value::String(image)) if !image.is_empty() => Ok(image.clone()),
        None | Some(Value::Null | Value::String(_)) => {
            Err((RefusalCode::NoImage, format!("`data.{key}` does not name an image")))
        }
        Some(other) => malformed(format!("`data.{key}` is no text: {}", excerpt(other))),
    }
}

/// Whether a text may be the place of an image, told by its end or its beginning.
fn looks_like_image(text: &str) -> bool {
    if text.contains(['\n', '\r']) {
        return false;
    }
    let url = text.contains("://") || text.starts_with("/data/");
    let path = if url { text.split(['?', '#']).next().unwrap_or_default() } else { text };
    // Of local files, Label Studio has the path in the query.
    let path = text.split_once("/data/local-files/?d=").map_or(path, |(_, path)| path);
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((_, extension)) => EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()),
        None => url && !name.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_images_are_told_from_other_texts() {
        for image in [
            "a.jpg",
            "s3://b/dir a/img 1.JPEG",
            "s3://b/0123abcd",
            "https://h/a.png?X-Amz-Signature=1.x",
            "/data/upload/1/1a2b-a.webp",
            "/data/local-files/?d=a/b.tif",
        ] {
            assert!(looks_like_image(image), "{image}");
        }
        for other in
            ["", "hello", "3.5", "a.jpg\nb", "s3://b/a.txt", "https://h/page.html", "https://h/", "dir/name"]
        {
            assert!(!looks_like_image(other), "{other}");
        }
    }
}
