//! Objects of a chosen size.

use super::puts::{Told, message};
use crate::{Class, Rig};

impl Rig {
    /// Puts pictures of `bytes` bytes, numbered from `first`, each different. A small JPEG is padded: what follows its
    /// end mark is ignored by decoders and kept by ingest.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub(crate) async fn put_padded(
        &mut self,
        first: u64,
        count: u64,
        bytes: usize,
    ) -> anyhow::Result<Vec<Told>> {
        let mut told = Vec::new();
        for number in first..first + count {
            let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(number);
            let mut content = testkit::photo(seed, 48, 32);
            content.resize(bytes.max(content.len()), 0x5a);
            told.push(self.put(&format!("padded/{number:05}.jpg"), Class::Picture, content).await?);
        }
        Ok(told)
    }

    /// Sends one message for each of these objects.
    ///
    /// # Errors
    /// The queue did not take one.
    pub(crate) async fn tell(&self, objects: &[Told]) -> anyhow::Result<()> {
        let messages: Vec<_> = objects.iter().map(|one| message(std::slice::from_ref(one))).collect();
        self.send(&messages).await
    }
}
