use proptest::prelude::*;
use types::Sha256;

use super::*;

fn image(n: usize) -> ImageId {
    ImageId::of(&Sha256::of(n.to_le_bytes()))
}

fn with_images(hashes: impl IntoIterator<Item = u64>) -> Vec<(ImageId, u64)> {
    hashes.into_iter().enumerate().map(|(n, hash)| (image(n), hash)).collect()
}

/// The definition: spread the smallest id over all pairs within the distance until nothing changes.
fn brute_force(hashes: &[(ImageId, u64)], max_distance: u32) -> Vec<ImageId> {
    let mut groups: Vec<ImageId> = hashes.iter().map(|(image, _)| *image).collect();
    loop {
        let before = groups.clone();
        for (n, (_, a)) in hashes.iter().enumerate() {
            for (m, (_, b)) in hashes.iter().enumerate() {
                if (a ^ b).count_ones() <= max_distance {
                    groups[n] = groups[n].min(groups[m]);
                }
            }
        }
        if groups == before {
            return groups;
        }
    }
}

#[test]
fn three_bits_apart_is_the_same_and_four_is_not() {
    let group = |a: u64, b: u64| {
        let groups = near_duplicate_groups(&[(image(1), a), (image(2), b)], 3);
        groups[0] == groups[1]
    };
    assert!(group(0, 0));
    assert!(group(0, 0b111));
    // One bit in each of three 16-bit bands: only the fourth agrees.
    assert!(group(0, 1 | 1 << 20 | 1 << 40));
    assert!(!group(0, 0b1111));
    assert!(!group(0, 1 | 1 << 20 | 1 << 40 | 1 << 60));
}

#[test]
fn groups_are_transitive_and_named_by_their_smallest_id() {
    let hashes = with_images([0, 0b111, 0b111_111, u64::MAX]);
    let smallest = hashes[..3].iter().map(|(image, _)| *image).min().expect("three");
    assert_eq!(near_duplicate_groups(&hashes, 3), [smallest, smallest, smallest, hashes[3].0]);
}

#[test]
fn flat_pictures_in_one_band_are_not_compared_pair_by_pair() {
    // 200,000 identical hashes, and 65,536 different ones that agree in 48 bits: the first collapse, the others
    // are cut again. All pairs would be two thousand million comparisons.
    let flat = with_images(std::iter::repeat_n(0, 200_000).chain(0..1 << 16));
    let groups = near_duplicate_groups(&flat, 3);
    assert!(groups.iter().all(|group| *group == groups[0]));
    assert_eq!(near_duplicate_groups(&[], 3), []);
}

/// Hashes near a few centres, so that groups form at every distance.
fn clustered() -> impl Strategy<Value = Vec<u64>> {
    let near = (0..6usize, prop::collection::vec(0..64u32, 0..5)).prop_map(|(centre, flips)| {
        let centre = [0, u64::MAX, 0xAAAA_AAAA_AAAA_AAAA, 0xFFFF_0000, 0x1234_5678_9ABC_DEF0, 0xF][centre];
        flips.into_iter().fold(centre, |hash, bit| hash ^ (1 << bit))
    });
    prop::collection::vec(near, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn groups_are_those_of_all_pairs(hashes in clustered(), max_distance in 0..8u32) {
        let hashes = with_images(hashes);
        prop_assert_eq!(near_duplicate_groups(&hashes, max_distance), brute_force(&hashes, max_distance));
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(hashes in clustered()) {
        let hashes = with_images(hashes);
        let backwards: Vec<_> = hashes.iter().rev().copied().collect();
        let mut groups = near_duplicate_groups(&backwards, 3);
        groups.reverse();
        prop_assert_eq!(near_duplicate_groups(&hashes, 3), groups);
    }

    #[test]
    fn any_distance_is_answered(hashes in prop::collection::vec(any::<u64>(), 0..40), max_distance in 0..80u32) {
        let hashes = with_images(hashes);
        prop_assert_eq!(near_duplicate_groups(&hashes, max_distance), brute_force(&hashes, max_distance));
    }
}
