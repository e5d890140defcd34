//! Calls of many tasks to the manifest store, made together.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::{Semaphore, oneshot};

/// The most calls made together.
const MOST: usize = 64;

/// Batches under way at once: one gathers while another is on its way.
const PARALLEL: usize = 2;

/// What is asked, and where the answer goes.
type Waiting<T, R> = VecDeque<(T, oneshot::Sender<R>)>;

type Call<T, R> = dyn Fn(Vec<T>) -> BoxFuture<'static, Vec<R>> + Send + Sync;

/// Gathers what is asked while earlier calls are under way, and asks it in one call. Without load each call goes out at
/// once and alone; nobody ever waits for company.
pub(super) struct Batcher<T, R> {
    waiting: Arc<Mutex<Waiting<T, R>>>,
    turns: Arc<Semaphore>,
    call: Arc<Call<T, R>>,
}

impl<T, R> std::fmt::Debug for Batcher<T, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batcher").finish_non_exhaustive()
    }
}

impl<T: Send + 'static, R: Send + 'static> Batcher<T, R> {
    /// `call` answers each of its arguments, in order.
    pub(super) fn new(call: impl Fn(Vec<T>) -> BoxFuture<'static, Vec<R>> + Send + Sync + 'static) -> Self {
        Self { waiting: Arc::default(), turns: Arc::new(Semaphore::new(PARALLEL)), call: Arc::new(call) }
    }

    /// Asks; `None` when the call was cut short by the end of the runtime or a panic.
    ///
    /// Cancel safety: a call that is dropped may still be made.
    pub(super) async fn ask(&self, item: T) -> Option<R> {
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back((item, answer));
        let (waiting, turns, call) =
            (Arc::clone(&self.waiting), Arc::clone(&self.turns), Arc::clone(&self.call));
        // A task of its own, since it carries the items of others.
        tokio::spawn(async move {
            let _turn = turns.acquire_owned().await;
            let (items, answers): (Vec<T>, Vec<_>) = {
                let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let count = waiting.len().min(MOST);
                waiting.drain(..count).unzip()
            };
            if items.is_empty() {
                return;
            }
            for (answer, result) in answers.into_iter().zip(call(items).await) {
                // Who asked may be gone.
                answer.send(result).ok();
            }
        });
        answered.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn everyone_gets_the_own_answer_and_calls_are_shared() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let batcher = Batcher::new(move |items: Vec<u64>| {
            counted.fetch_add(1, Ordering::Relaxed);
            async move {
                tokio::task::yield_now().await;
                items.into_iter().map(|item| item * 10).collect()
            }
            .boxed()
        });
        let answers = join_all((0..200).map(|item| batcher.ask(item))).await;
        assert_eq!(answers, (0..200).map(|item| Some(item * 10)).collect::<Vec<_>>());
        let calls = calls.load(Ordering::Relaxed);
        assert!((4..100).contains(&calls), "{calls} calls for 200 questions of at most 64 each");
    }
}
