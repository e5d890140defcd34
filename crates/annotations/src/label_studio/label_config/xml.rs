//! The configuration as XML.

use std::collections::HashSet;

use roxmltree::{Document, Node, ParsingOptions};

use super::{Control, ImageTag, Label, LabelConfig, LabelConfigError};
use crate::Registry;

/// Tags of the largest configuration that is read; each label is one.
const MAX_NODES: u32 = 1_000_000;

pub(super) fn parse(xml: &str) -> Result<LabelConfig, LabelConfigError> {
    // No document type: entities that grow are not even defined.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(xml.trim_start_matches('\u{FEFF}').trim(), options)
        .map_err(|error| LabelConfigError::Xml(error.to_string()))?;
    let mut config = LabelConfig::default();
    let mut names = HashSet::new();
    for node in document.descendants().filter(Node::is_element) {
        let Some(name) = node.attribute("name").filter(|name| !name.is_empty()) else { continue };
        let tag = node.tag_name().name();
        match node.attribute("toName") {
            Some(to_name) => config.controls.push(control(node, tag, name, to_name)?),
            None if tag == "Image" => config.images.extend(image(node, name)),
            None => continue,
        }
        if !names.insert(name) {
            return Err(LabelConfigError::SameName(name.to_owned()));
        }
    }
    if config.images.is_empty() { Err(LabelConfigError::NoImage) } else { Ok(config) }
}

fn image(node: Node<'_, '_>, name: &str) -> Option<ImageTag> {
    let key = node.attribute("value").or(node.attribute("valueList"))?.strip_prefix('$')?;
    Some(ImageTag { name: name.to_owned(), key: key.to_owned() })
}

fn control(node: Node<'_, '_>, tag: &str, name: &str, to_name: &str) -> Result<Control, LabelConfigError> {
    let offers = node.descendants().filter(|child| matches!(child.tag_name().name(), "Label" | "Choice"));
    let mut labels = Vec::new();
    let mut dynamic = node.attribute("value").is_some_and(|value| value.starts_with('$'));
    for offer in offers {
        let value = offer.attribute("value").filter(|value| !value.is_empty());
        dynamic |= value.is_some_and(|value| value.starts_with('$'));
        let alias = offer.attribute("alias").filter(|alias| !alias.is_empty());
        let Some(name) = alias.or(value) else { continue };
        labels.push(Label { name: name.to_owned(), category: category(name, offer)? });
    }
    Ok(Control { tag: tag.to_owned(), name: name.to_owned(), to_name: to_name.to_owned(), labels, dynamic })
}

fn category(label: &str, offer: Node<'_, '_>) -> Result<Option<u32>, LabelConfigError> {
    let Some(category) = offer.attribute("category") else { return Ok(None) };
    category
        .trim()
        .parse()
        .map(Some)
        .map_err(|_| LabelConfigError::Category { label: label.to_owned(), category: category.to_owned() })
}

pub(super) fn write(config: &LabelConfig, categories: &Registry) -> String {
    let mut xml = String::from("<View>\n");
    let mut numbered = HashSet::new();
    for ImageTag { name, key } in config.images.iter().filter(|image| all_sayable([&image.name, &image.key]))
    {
        xml.push_str(&format!("  <Image name=\"{}\" value=\"${}\"/>\n", escaped(name), escaped(key)));
    }
    let sayable = |control: &&Control| all_sayable([&control.tag, &control.name, &control.to_name]);
    for Control { tag, name, to_name, labels, .. } in config.controls.iter().filter(sayable) {
        xml.push_str(&format!("  <{tag} name=\"{}\" toName=\"{}\"", escaped(name), escaped(to_name)));
        if labels.is_empty() {
            xml.push_str("/>\n");
            continue;
        }
        xml.push_str(">\n");
        let offer = if matches!(tag.as_str(), "Choices" | "Taxonomy") { "Choice" } else { "Label" };
        for Label { name, .. } in labels.iter().filter(|label| all_sayable([&label.name])) {
            xml.push_str(&format!("    <{offer} value=\"{}\"", escaped(name)));
            if let Some(category) = categories.get(name).filter(|_| offer == "Label")
                && numbered.insert(name)
            {
                xml.push_str(&format!(" category=\"{}\"", category.id));
            }
            xml.push_str("/>\n");
        }
        xml.push_str(&format!("  </{tag}>\n"));
    }
    xml.push_str("</View>\n");
    xml
}

fn all_sayable<const N: usize>(texts: [&String; N]) -> bool {
    texts.iter().all(|text| is_sayable(text))
}

/// Whether a label or name can stand in a label configuration: XML 1.0 (production 2, `Char`) can hold it, and Label
/// Studio takes it for a name.
pub fn is_sayable(text: &str) -> bool {
    let allowed = |character: char| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}');
    !text.is_empty() && text.chars().all(allowed)
}

/// An attribute's value: what means something else there is a reference, line ends and tabs too, which a parser would
/// turn into spaces.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push_str(&format!("&#{};", u32::from(character))),
            other => escaped.push(other),
        }
    }
    escaped
}
