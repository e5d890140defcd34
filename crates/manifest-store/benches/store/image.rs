//! What the stages say of an image: numbered, made up, as large as that of real ones. `fill.sql` writes the same.

use serde_json::json;
use types::{
    Affine, DatasetName, ImageId, LineageEdge, ManifestEntry, ObjectVersion, Orientation, OriginalRecord,
    PolicyHash, Relation, S3Uri, Sha256, StageManifest, StageName, VariantRecord,
};

use manifest_store::{Claim, ClaimKey, Effect, Publication};

const VARIANTS: [&str; 3] = ["1080p", "720p", "800x600-crop"];

/// The only dataset.
pub(crate) fn dataset() -> DatasetName {
    "bench".parse().expect("a valid name")
}

/// The only policy.
pub(crate) fn policy() -> PolicyHash {
    PolicyHash::of("bench")
}

/// The image's record in the catalogue.
pub(crate) fn original(n: usize) -> OriginalRecord {
    let sha256 = Sha256::of(format!("content {n}"));
    let key = format!("IMG_{n:08}.jpg");
    let mut etag = sha256.to_hex();
    etag.truncate(32);
    OriginalRecord {
        source: ObjectVersion { uri: uri("s3://inbox", &key), version: etag },
        bronze_uri: uri("s3://bronze", &key),
        key,
        image_id: ImageId::of(&sha256),
        sha256,
        bytes: 3_500_000,
        format: "jpeg".to_owned(),
        width: 4000,
        height: 3000,
        orientation: Orientation::Rotate90,
        pixel_hash: sha256,
        perceptual_hash: n as u64,
        exif: json!({ "Make": "Canon", "Model": "EOS 80D" }),
        animated: false,
    }
}

/// What normalize claims of it.
pub(crate) fn claim_key(original: &OriginalRecord) -> ClaimKey {
    let object = ObjectVersion { uri: original.bronze_uri.clone(), version: original.source.version.clone() };
    ClaimKey { stage: StageName::Normalize, dataset: dataset(), object, policy: policy() }
}

/// A rendition of it, by the variant's place among three.
pub(crate) fn rendition(original: &OriginalRecord, variant: usize) -> S3Uri {
    uri("s3://silver", &format!("{}/{}.jpg", VARIANTS[variant], original.image_id))
}

/// Three entries, three edges, an original and three variants.
pub(crate) fn publication(claim: Claim, original: OriginalRecord) -> Publication {
    let variants: Vec<_> = (0..VARIANTS.len()).map(|place| variant(&original, place)).collect();
    let fields = json!({ "variant_name": "720p", "width": 1280, "height": 720 });
    let entry = |variant: &VariantRecord| ManifestEntry {
        source_uri: variant.source_uri.clone(),
        output_uri: variant.output_uri.clone(),
        bytes: variant.bytes,
        sha256: variant.sha256,
        fields: fields.as_object().cloned().unwrap_or_default(),
    };
    let edge = |variant: &VariantRecord| LineageEdge {
        parent: variant.source_uri.clone(),
        child: variant.output_uri.clone(),
        relation: Relation::Rendered,
    };
    Publication {
        manifest: StageManifest {
            dataset: claim.key.dataset.clone(),
            stage: claim.key.stage,
            policy_hash: claim.key.policy,
            source: claim.key.object.clone(),
            metadata: json!({ "encoder": "jpeg 92" }),
            entries: variants.iter().map(entry).collect(),
        },
        manifest_uri: uri("s3://silver", &format!("manifests/{}.json", original.image_id)),
        lineage: variants.iter().map(edge).collect(),
        effects: vec![Effect::Original(original), Effect::Variants(variants)],
        claim,
    }
}

fn variant(original: &OriginalRecord, place: usize) -> VariantRecord {
    VariantRecord {
        image_id: original.image_id,
        source_uri: original.bronze_uri.clone(),
        variant_name: VARIANTS[place].to_owned(),
        output_uri: rendition(original, place),
        width: 1280,
        height: 720,
        normalization_policy_hash: policy(),
        bytes: 250_000,
        sha256: original.sha256,
        affine: Affine([0.32, 0.0, 0.0, 0.0, 0.24, 0.0]),
    }
}

fn uri(prefix: &str, key: &str) -> S3Uri {
    prefix.parse::<S3Uri>().expect("a valid prefix").join(key)
}
