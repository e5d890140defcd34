//! The label configuration that the SDK is given: ours, since its own writer escapes nothing.

use annotations::label_studio::{Control, IMAGE, ImageTag, Label, LabelConfig};
use annotations::{Category, Registry};

/// The control of boxes.
pub(super) const BOX_CONTROL: &str = "box";
/// The control of polygons.
pub(super) const POLYGON_CONTROL: &str = "polygon";

/// A configuration with one data key and every category, under its own number where it stands first. Labels that XML
/// cannot hold are not in it.
pub(super) fn label_config(categories: &Registry) -> String {
    let label = |category: &Category| Label { name: category.definition.name.clone(), category: None };
    let labels: Vec<_> = categories.by_id().into_iter().map(label).collect();
    let control = |(tag, name): (&str, &str)| Control {
        tag: tag.to_owned(),
        name: name.to_owned(),
        to_name: IMAGE.to_owned(),
        labels: labels.clone(),
        dynamic: false,
    };
    let image = ImageTag { name: IMAGE.to_owned(), key: IMAGE.to_owned() };
    let controls = [("RectangleLabels", BOX_CONTROL), ("PolygonLabels", POLYGON_CONTROL)].map(control);
    LabelConfig { images: vec![image], controls: controls.into() }.to_xml(categories)
}

#[cfg(test)]
mod tests {
    use annotations::CategoryDefinition;

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
