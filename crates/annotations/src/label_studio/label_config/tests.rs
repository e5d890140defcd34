use super::*;
use crate::Category;

fn label(name: &str, category: Option<u32>) -> Label {
    Label { name: name.to_owned(), category }
}

#[test]
fn controls_images_and_labels_are_found() {
    let config = LabelConfig::parse(
        r##"<?xml version="1.0"?>
        <!-- a project -->
        <View style="display: flex">
          <Header value="RectangleLabels"/>
          <Image name="photo" value="$picture" zoom="true"/>
          <RectangleLabels name="box" toName="photo">
            <View><Label value="R&amp;B &quot;x&quot; &lt;y&gt;" category="3" background="#f00"/></View>
            <Label value="person" alias="p"/>
          </RectangleLabels>
          <Choices name="quality" toName="photo" choice="single"><Choice value="good"/></Choices>
          <Labels name="free" toName="photo" value="$labels"/>
        </View>"##,
    )
    .expect("a configuration");
    assert_eq!(config.images, [ImageTag { name: "photo".to_owned(), key: "picture".to_owned() }]);
    let names: Vec<_> = config.controls.iter().map(|control| control.name.as_str()).collect();
    assert_eq!(names, ["box", "quality", "free"]);
    let boxes = config.control("box").expect("there");
    assert_eq!(
        (boxes.tag.as_str(), boxes.to_name.as_str(), boxes.dynamic),
        ("RectangleLabels", "photo", false)
    );
    assert_eq!(boxes.labels, [label("R&B \"x\" <y>", Some(3)), label("p", None)]);
    let unknown = ["p", "person"].map(str::to_owned);
    assert_eq!(config.unknown("box", &unknown), Some(&unknown[1]), "results have the alias");
    assert_eq!(config.unknown("free", &unknown), None);
    assert_eq!(config.unknown("gone", &unknown), Some(&unknown[0]));
}

#[test]
fn what_is_no_configuration_is_named() {
    let view = |inner: &str| format!(r#"<View><Image name="image" value="$image"/>{inner}</View>"#);
    let error = |xml: &str| LabelConfig::parse(xml).expect_err("no configuration");
    assert!(matches!(error("<View>"), LabelConfigError::Xml(_)));
    assert!(matches!(
        error(r#"<!DOCTYPE v [<!ENTITY a "aaaa">]><View><Image name="&a;" value="$image"/></View>"#),
        LabelConfigError::Xml(_)
    ));
    assert_eq!(error("<View><Text name=\"t\" value=\"$t\"/></View>"), LabelConfigError::NoImage);
    assert_eq!(
        error(&view(r#"<Labels name="a" toName="image"/><Choices name="a" toName="image"/>"#)),
        LabelConfigError::SameName("a".to_owned())
    );
    assert_eq!(
        error(&view(r#"<Labels name="a" toName="image"><Label value="x" category="one"/></Labels>"#))
            .to_string(),
        "the label configuration gives label \"x\" the category \"one\", which is no number"
    );
    let deep = format!("{}{}", "<View>".repeat(10_000), "</View>".repeat(10_000));
    assert!(LabelConfig::parse(&deep).is_err());
}

#[test]
fn xml_is_escaped_and_numbers_stand_once() {
    let category = |id, name: &str| Category { id, definition: CategoryDefinition::named(name) };
    let name = "R&B \"x\" <y>\n";
    let categories = Registry::from_iter([category(3, name), category(0, "z")]);
    let mut config = LabelConfig::default();
    config.images.push(ImageTag { name: "image".to_owned(), key: "image".to_owned() });
    for (tag, control) in [("RectangleLabels", "a\"b"), ("PolygonLabels", "poly"), ("Choices", "c")] {
        config.offer(tag, control, "image", &[name.to_owned(), "z".to_owned(), "\u{1}".to_owned()]);
    }
    config.offer("Rating", "stars", "image", &[]);
    let xml = config.to_xml(&categories);
    assert_eq!(
        xml,
        r#"<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="a&quot;b" toName="image">
    <Label value="R&amp;B &quot;x&quot; &lt;y&gt;&#10;" category="3"/>
    <Label value="z" category="0"/>
  </RectangleLabels>
  <PolygonLabels name="poly" toName="image">
    <Label value="R&amp;B &quot;x&quot; &lt;y&gt;&#10;"/>
    <Label value="z"/>
  </PolygonLabels>
  <Choices name="c" toName="image">
    <Choice value="R&amp;B &quot;x&quot; &lt;y&gt;&#10;"/>
    <Choice value="z"/>
  </Choices>
  <Rating name="stars" toName="image"/>
</View>
"#
    );
    let read = LabelConfig::parse(&xml).expect("our own");
    let wanted: Vec<_> =
        read.categories().into_iter().map(|wanted| (wanted.id, wanted.definition.name)).collect();
    assert_eq!(wanted, [(Some(3), name.to_owned()), (Some(0), "z".to_owned())]);
}
