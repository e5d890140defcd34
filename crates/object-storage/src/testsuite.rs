//! The contract of [`BlobStore`](crate::BlobStore) as tests (feature `testsuite`): one function per behaviour, and
//! [`blob_store_suite!`](crate::blob_store_suite) to make each a named test of an adapter.
//!
//! ```ignore
//! mod memory {
//!     object_storage::blob_store_suite!(super::memory_fixture());
//! }
//! ```

mod conditions;
mod fixture;
mod hostile_keys;
mod listings;
mod open_uploads;
mod transfers;

pub use conditions::{
    creates_keep_the_first_object, deletes_can_be_repeated, download_of_another_version_is_refused,
    large_racing_creates_write_exactly_once, missing_objects_and_buckets_are_not_found,
    objects_above_the_limit_are_refused_before_anything_is_written, racing_creates_write_exactly_once,
    wrong_sha256_is_refused, wrong_sha256_of_a_large_file_is_refused,
};
pub use fixture::{Fixture, Interruptible, KnownLimits};
pub use hostile_keys::{
    file_and_folder_of_the_same_name_live_side_by_side, hostile_keys_are_listed_as_they_are,
    hostile_keys_round_trip, overlong_keys_are_refused,
};
pub use listings::{
    listings_are_in_key_order_by_pages, listings_hold_nothing_but_the_prefix,
    listings_see_every_write_before_them, objects_say_when_they_were_written,
};
pub use open_uploads::{
    finished_uploads_are_not_open, interrupted_uploads_are_listed_until_they_are_aborted,
    many_interrupted_uploads_are_listed_once_each,
};
pub use transfers::{
    download_does_not_overwrite_a_file, files_of_every_size_round_trip,
    rewriting_an_object_changes_its_version, small_objects_round_trip,
};

/// One `#[tokio::test]` per behaviour of the contract. Takes an expression that makes a future of a fresh
/// [`Fixture`](crate::testsuite::Fixture).
#[macro_export]
macro_rules! blob_store_suite {
    ($fixture:expr) => {
        $crate::blob_store_suite! { @tests $fixture;
            creates_keep_the_first_object
            deletes_can_be_repeated
            download_does_not_overwrite_a_file
            download_of_another_version_is_refused
            file_and_folder_of_the_same_name_live_side_by_side
            files_of_every_size_round_trip
            finished_uploads_are_not_open
            hostile_keys_are_listed_as_they_are
            hostile_keys_round_trip
            interrupted_uploads_are_listed_until_they_are_aborted
            large_racing_creates_write_exactly_once
            listings_are_in_key_order_by_pages
            listings_hold_nothing_but_the_prefix
            listings_see_every_write_before_them
            many_interrupted_uploads_are_listed_once_each
            missing_objects_and_buckets_are_not_found
            objects_above_the_limit_are_refused_before_anything_is_written
            objects_say_when_they_were_written
            overlong_keys_are_refused
            racing_creates_write_exactly_once
            rewriting_an_object_changes_its_version
            small_objects_round_trip
            wrong_sha256_is_refused
            wrong_sha256_of_a_large_file_is_refused
        }
    };
    (@tests $fixture:expr; $($behaviour:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                $crate::testsuite::$behaviour(&$fixture.await).await;
            }
        )*
    };
}
