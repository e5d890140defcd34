//! The contract of [`Queue`](crate::Queue) as tests (feature `testsuite`): one function per behaviour, and two ways to
//! run them all. They take seconds of the queue's time, since they wait for messages to come back.
//!
//! - [`queue_suite!`](crate::queue_suite) makes each a named test with a paused clock, for adapters whose time is
//!   tokio's;
//! - [`run_all`] runs them side by side on a server, each with a queue of its own, and says which failed.
//!
//! ```ignore
//! mod memory {
//!     queue::queue_suite!(super::Memory);
//! }
//! ```

mod batches;
mod deliveries;
mod fixture;
mod receipts;
mod waiting;

use std::sync::Arc;

use anyhow::bail;
use tokio::task::JoinSet;

pub use batches::{
    bad_bodies_are_refused_and_the_others_are_sent, batches_are_limited_to_ten,
    batches_of_ten_are_taken_in_all_calls, bodies_too_long_for_one_request_are_sent,
    one_bad_receipt_does_not_stop_the_good_ones,
};
pub use deliveries::{
    deleted_messages_never_come_back, depth_counts_what_waits_and_what_is_hidden,
    hidden_messages_come_back_with_another_receipt, hiding_anew_replaces_the_first_deadline,
    hiding_for_zero_makes_visible_at_once, messages_received_too_often_become_dead_letters,
    sent_messages_are_received_whole,
};
pub use fixture::{Fixture, Fresh};
pub use receipts::{deleting_twice_is_harmless, garbage_receipts_do_no_harm, stale_receipts_do_no_harm};
pub use waiting::{
    waiting_for_nothing_ends_empty, waiting_receive_ends_when_a_hidden_message_comes_back,
    waiting_receive_ends_when_a_message_is_given_back, waiting_receive_ends_when_a_message_is_sent,
};

/// One `#[tokio::test]` with a paused clock per behaviour of the contract. Takes an expression that makes a
/// [`Fixture`](crate::testsuite::Fixture).
#[macro_export]
macro_rules! queue_suite {
    ($fixture:expr) => {
        $crate::queue_suite! { @behaviours tests $fixture }
    };
    // The one list.
    (@behaviours $what:ident $($with:tt)*) => {
        $crate::queue_suite! { @$what [$($with)*]
            bad_bodies_are_refused_and_the_others_are_sent
            batches_are_limited_to_ten
            batches_of_ten_are_taken_in_all_calls
            bodies_too_long_for_one_request_are_sent
            deleted_messages_never_come_back
            deleting_twice_is_harmless
            depth_counts_what_waits_and_what_is_hidden
            garbage_receipts_do_no_harm
            hidden_messages_come_back_with_another_receipt
            hiding_anew_replaces_the_first_deadline
            hiding_for_zero_makes_visible_at_once
            messages_received_too_often_become_dead_letters
            one_bad_receipt_does_not_stop_the_good_ones
            sent_messages_are_received_whole
            stale_receipts_do_no_harm
            waiting_for_nothing_ends_empty
            waiting_receive_ends_when_a_hidden_message_comes_back
            waiting_receive_ends_when_a_message_is_given_back
            waiting_receive_ends_when_a_message_is_sent
        }
    };
    (@tests [$fixture:expr] $($behaviour:ident)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $behaviour() -> anyhow::Result<()> {
                $crate::testsuite::$behaviour(&$fixture).await
            }
        )*
    };
    (@spawn [$running:ident $fixture:ident] $($behaviour:ident)*) => {
        $({
            let fixture = Arc::clone(&$fixture);
            $running.spawn(async move { (stringify!($behaviour), $behaviour(&*fixture).await) });
        })*
    };
}

/// Runs every behaviour at the same time.
///
/// # Errors
/// Names every behaviour that failed, with its reason.
pub async fn run_all(fixture: Arc<dyn Fixture>) -> anyhow::Result<()> {
    let mut running = JoinSet::new();
    crate::queue_suite! { @behaviours spawn running fixture }
    let mut failed = Vec::new();
    while let Some(ended) = running.join_next().await {
        let (behaviour, result) = ended?;
        if let Err(error) = result {
            failed.push(format!("{behaviour}: {error:#}"));
        }
    }
    if !failed.is_empty() {
        bail!("{} behaviours failed:\n{}", failed.len(), failed.join("\n"));
    }
    Ok(())
}
