//! The label configuration that the SDK is given: ours, since its own writer escapes nothing.

use annotations::Registry;

use super::select::xml_can_hold;

/// The control of boxes.
pub(super) const BOX_CONTROL: &str = "box";
/// The control of polygons.
pub(super) const POLYGON_CONTROL: &str = "polygon";

/// A configuration with one data key and every category under its own number.
///
/// The number stands only once: under two controls the SDK would list the category twice, without any number it would
/// number labels by their alphabetical order.
pub(super) fn label_config(categories: &Registry) -> String {
    let categories: Vec<_> =
        categories.by_id().into_iter().filter(|category| xml_can_hold(&category.definition.name)).collect();
    let mut xml = String::from("<View>\n  <Image name=\"image\" value=\"$image\"/>\n");
    for (tag, control, numbered) in
        [("RectangleLabels", BOX_CONTROL, true), ("PolygonLabels", POLYGON_CONTROL, false)]
    {
        xml.push_str(&format!("  <{tag} name=\"{control}\" toName=\"image\">\n"));
        for category in &categories {
            let number = if numbered { format!(" category=\"{}\"", category.id) } else { String::new() };
            xml.push_str(&format!("    <Label value=\"{}\"{number}/>\n", escaped(&category.definition.name)));
        }
        xml.push_str(&format!("  </{tag}>\n"));
    }
    xml.push_str("</View>\n");
    xml
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

#[cfg(test)]
mod tests {
    use annotations::{Category, CategoryDefinition};

    use super::*;

    #[test]
    fn labels_are_escaped_and_numbered_once() {
        let category = |id, name: &str| Category { id, definition: CategoryDefinition::named(name) };
        let categories =
            Registry::from_iter([category(3, "R&B \"x\" <y>\n"), category(0, "\u{1}"), category(9, "z")]);
        assert_eq!(
            label_config(&categories),
            r#"<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image">
    <Label value="R&amp;B &quot;x&quot; &lt;y&gt;&#10;" category="3"/>
    <Label value="z" category="9"/>
  </RectangleLabels>
  <PolygonLabels name="polygon" toName="image">
    <Label value="R&amp;B &quot;x&quot; &lt;y&gt;&#10;"/>
    <Label value="z"/>
  </PolygonLabels>
</View>
"#
        );
    }
}
