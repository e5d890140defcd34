//! The order of samples: a pure function of the seed and the images.

use sha2::Digest;
use types::ImageId;

/// What samples are sorted by: the SHA-256 of `seed`, a NUL and the image id's 32 hex digits.
pub fn order_key(seed: &str, image: &ImageId) -> [u8; 32] {
    let hasher = sha2::Sha256::new().chain_update(seed).chain_update([0]).chain_update(image.to_string());
    hasher.finalize().into()
}

/// Shuffles `items` by `seed`: the order of the input does not matter, as long as the image ids differ.
pub fn sort_seeded<T>(seed: &str, items: &mut [T], image: impl Fn(&T) -> ImageId) {
    items.sort_by_cached_key(|item| order_key(seed, &image(item)));
}

#[cfg(test)]
mod tests {
    use types::Sha256;

    use super::*;

    #[test]
    fn the_key_is_the_digest_of_seed_and_id() {
        let image: ImageId = "000102030405060708090a0b0c0d0e0f".parse().expect("an id");
        // python: sha256(b'seed\0' + b'000102030405060708090a0b0c0d0e0f')
        let expected = "802e3059e9c93e92206e59921480a4bb83dee68e119a425cb212b35c6ecdbed4";
        assert_eq!(hex::encode(order_key("seed", &image)), expected);
    }

    #[test]
    fn the_order_depends_on_the_seed_alone() {
        let ids: Vec<_> = (0..100u8).map(|n| ImageId::of(&Sha256::of([n]))).collect();
        let sorted = |seed: &str, mut ids: Vec<ImageId>| {
            sort_seeded(seed, &mut ids, |id| *id);
            ids
        };
        let backwards: Vec<_> = ids.iter().rev().copied().collect();
        assert_eq!(sorted("a", ids.clone()), sorted("a", backwards));
        assert_ne!(sorted("a", ids.clone()), sorted("b", ids));
    }
}
