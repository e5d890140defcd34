//! How many shards, and which samples in which.

use std::ops::Range;

/// Cuts samples of these tar footprints into consecutive shards of about `target_bytes`, none empty.
///
/// There are ⌈total / target⌉ shards. Their sample counts differ by at most one, because ranks and loader
/// workers that each take a shard should end together, unless sizes differ so much that a shard would
/// pass the target by more than a quarter: then the cuts go by bytes, and no shard has more than the target
/// plus its largest sample.
pub fn pack(sizes: &[u64], target_bytes: u64) -> Vec<Range<usize>> {
    if sizes.is_empty() {
        return Vec::new();
    }
    let ends: Vec<u128> = sizes
        .iter()
        .scan(0u128, |sum, size| {
            *sum += u128::from(*size);
            Some(*sum)
        })
        .collect();
    let total = ends[ends.len() - 1];
    let target = u128::from(target_bytes.max(1));
    let count = total.div_ceil(target).clamp(1, sizes.len() as u128) as usize;

    let by_count = cut(count, |n| sizes.len() * n / count);
    let bytes =
        |range: &Range<usize>| ends[range.end - 1] - range.start.checked_sub(1).map_or(0, |at| ends[at]);
    if by_count.iter().all(|range| bytes(range) * 4 <= target * 5) {
        return by_count;
    }
    let mut previous = 0;
    cut(count, |n| {
        // The sample that reaches the n-th share of the bytes is the last before the cut; every shard before
        // and after keeps at least one.
        let share = total * n as u128 / count as u128;
        let reached = if n == 0 { 0 } else { ends.partition_point(|end| *end < share) + 1 };
        previous = if n == 0 { 0 } else { reached.clamp(previous + 1, sizes.len() - (count - n)) };
        previous
    })
}

/// The ranges between `count + 1` bounds.
fn cut(count: usize, bound: impl FnMut(usize) -> usize) -> Vec<Range<usize>> {
    let bounds: Vec<usize> = (0..=count).map(bound).collect();
    bounds.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_samples_are_spread_evenly() {
        // 10 × 100 bytes in shards of 300: four shards, of 2 or 3.
        assert_eq!(pack(&[100; 10], 300), [0..2, 2..5, 5..7, 7..10]);
        assert_eq!(pack(&[100; 3], 1_000), [0..3; 1]);
        assert_eq!(pack(&[], 300), []);
    }

    #[test]
    fn one_huge_sample_does_not_drag_its_neighbours() {
        // 1,090 bytes at 500: three shards with shares ending at 363 and 726. The huge one reaches both.
        let sizes = [10, 10, 1_000, 10, 10, 10, 10, 10, 10, 10];
        assert_eq!(pack(&sizes, 500), [0..3, 3..4, 4..10]);
    }

    proptest! {
        #[test]
        fn shards_cover_everything_in_order_and_stay_bounded(
            sizes in prop::collection::vec(0u64..10_000, 1..200),
            target in 1u64..100_000,
        ) {
            let shards = pack(&sizes, target);
            prop_assert_eq!(shards[0].start, 0);
            prop_assert_eq!(shards[shards.len() - 1].end, sizes.len());
            for pair in shards.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].start);
            }
            let largest = *sizes.iter().max().expect("not empty");
            for shard in &shards {
                prop_assert!(!shard.is_empty());
                let bytes: u64 = sizes[shard.clone()].iter().sum();
                prop_assert!(bytes <= target + target / 4 || bytes <= target + largest, "{} of {}", bytes, target);
            }
        }

        #[test]
        fn similar_samples_are_spread_to_within_one(
            sizes in prop::collection::vec(950u64..1_050, 1..300),
            target in 20_000u64..60_000,
        ) {
            let counts: Vec<_> = pack(&sizes, target).into_iter().map(|shard| shard.len()).collect();
            let (least, most) = (counts.iter().min().expect("one"), counts.iter().max().expect("one"));
            prop_assert!(most - least <= 1, "{:?}", counts);
        }
    }
}
