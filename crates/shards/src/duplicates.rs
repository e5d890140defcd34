//! Near-duplicates: which images belong together.

use types::ImageId;

/// Below this, comparing all pairs is cheaper than cutting further.
const FEW: usize = 24;

/// Groups images whose 64-bit perceptual hashes differ in at most `max_distance` bits, transitively. The
/// answer holds, for each input, the smallest image id of its group.
///
/// Exact, not sampled. Hashes that differ in d bits agree in at least one of d + 1 bands, so only images
/// that share a band are compared; a band that many share (flat pictures) is cut again by its other bits.
pub fn near_duplicate_groups(hashes: &[(ImageId, u64)], max_distance: u32) -> Vec<ImageId> {
    let mut distinct: Vec<u64> = hashes.iter().map(|(_, hash)| *hash).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let mut linker =
        Linker { parents: (0..distinct.len()).collect(), hashes: &distinct, distance: max_distance };
    let mut all: Vec<usize> = (0..distinct.len()).collect();
    linker.link(&mut all, u64::MAX);

    let roots: Vec<usize> =
        hashes.iter().map(|(_, hash)| linker.root(distinct.partition_point(|other| other < hash))).collect();
    let mut smallest: Vec<Option<ImageId>> = vec![None; distinct.len()];
    for ((image, _), root) in hashes.iter().zip(&roots) {
        let slot = &mut smallest[*root];
        *slot = Some(slot.map_or(*image, |least| least.min(*image)));
    }
    roots
        .into_iter()
        .map(|root| smallest[root].expect("every group has the image that leads to it"))
        .collect()
}

/// Disjoint sets over distinct hashes.
struct Linker<'a> {
    hashes: &'a [u64],
    distance: u32,
    parents: Vec<usize>,
}

impl Linker<'_> {
    /// Joins all pairs within the distance among `members`, which agree in every bit that is not `free`.
    fn link(&mut self, members: &mut [usize], free: u64) {
        if self.are_joined(members) {
            return;
        }
        if free.count_ones() <= self.distance {
            members.windows(2).for_each(|pair| self.join(pair[0], pair[1]));
        } else if members.len() <= FEW {
            self.link_all_pairs(members);
        } else {
            for band in bands(free, self.distance + 1) {
                members.sort_unstable_by_key(|member| self.hashes[*member] & band);
                let mut rest = &mut *members;
                while let Some(first) = rest.first() {
                    let shared = self.hashes[*first] & band;
                    let end = rest.partition_point(|member| self.hashes[*member] & band <= shared);
                    let (run, tail) = rest.split_at_mut(end);
                    self.link(run, free & !band);
                    rest = tail;
                }
            }
        }
    }

    fn link_all_pairs(&mut self, members: &[usize]) {
        for (n, a) in members.iter().enumerate() {
            for b in &members[n + 1..] {
                if (self.hashes[*a] ^ self.hashes[*b]).count_ones() <= self.distance {
                    self.join(*a, *b);
                }
            }
        }
    }

    fn are_joined(&mut self, members: &[usize]) -> bool {
        let Some((first, rest)) = members.split_first() else { return true };
        let root = self.root(*first);
        rest.iter().all(|member| self.root(*member) == root)
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }
}

/// Cuts the set bits of `free` into `count` masks of about as many bits each; `count` is at most their number.
fn bands(free: u64, count: u32) -> Vec<u64> {
    let bits: Vec<u64> = (0..64).map(|bit| 1 << bit).filter(|bit| free & bit != 0).collect();
    let bound = |n: u32| bits.len() * n as usize / count as usize;
    (0..count).map(|n| bits[bound(n)..bound(n + 1)].iter().sum()).collect()
}

#[cfg(test)]
mod tests;
