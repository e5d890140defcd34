//! The conformance suite of the seam: one function per behaviour, each given a fresh, empty store.
//!
//! [`conformance_suite!`](crate::conformance_suite) makes a test of each. Time is the store's own: leases are
//! short, and waits are as long as the store answers.

mod annotations;
mod catalogue;
mod claims;
mod fixtures;
mod history;
mod overwrites;
mod progress;
mod publication;
mod quarantine;
mod upkeep;
mod versions;

pub use annotations::*;
pub use catalogue::*;
pub use claims::*;
pub use history::*;
pub use overwrites::*;
pub use progress::*;
pub use publication::*;
pub use quarantine::*;
pub use upkeep::*;
pub use versions::*;

/// Expands to one `#[tokio::test]` per behaviour of the seam.
///
/// The argument is the path of an `async fn() -> anyhow::Result<(Arc<dyn ManifestStore>, impl Sized)>`: a
/// fresh, empty store and whatever has to live as long as it. The calling crate depends on `anyhow` and
/// `tokio`.
#[macro_export]
macro_rules! conformance_suite {
    ($make_store:path) => {
        $crate::conformance_suite! { @tests $make_store:
            a_key_is_granted_to_one_of_sixteen_claimers
            an_ended_lease_is_taken_over_with_a_higher_token
            an_old_token_is_fenced_everywhere
            an_ended_lease_that_nobody_took_is_still_ours
            renewal_keeps_others_out
            equal_keys_in_one_call_are_granted_once
            another_version_policy_stage_or_dataset_is_other_work
            release_and_postpone_count_no_attempt_and_failures_do
            waiting_work_is_not_granted_before_its_time
            a_dead_owner_hands_everything_back
            statuses_answer_in_order_and_claim_nothing
            checkpoints_outlive_attempts_and_end_with_the_work
            processed_lists_every_version_newest_claim_first
            odd_keys_are_kept_byte_for_byte
            ten_thousand_keys_are_one_call
            sixteen_tasks_write_at_once
            a_publication_happens_wholly_or_not_at_all
            publishing_again_changes_nothing
            concurrent_publications_of_one_claim_have_one_effect
            exact_duplicates_are_published_side_by_side
            publications_in_bulk_are_answered_in_order
            publications_in_bulk_are_as_if_one_after_the_other
            one_wrong_value_in_bulk_harms_nobody_else
            shards_and_their_version_are_published_in_one_call
            bulk_publications_that_overlap_all_come_through
            content_that_comes_back_is_new_work
            content_that_comes_back_is_settled_as_before
            a_late_publication_keeps_the_rejection_of_newer_content
            done_work_frees_other_versions_under_every_policy
            stale_work_is_refused
            of_two_versions_published_at_once_the_later_claimed_stays
            quarantined_work_is_settled_with_its_reason
            done_work_retires_the_rejections_of_its_object
            the_quarantine_is_paged_in_order
            redrive_takes_one_reason_or_all_and_can_only_count
            datasets_are_listed_with_their_counts
            an_unknown_dataset_is_an_error
            originals_are_replaced_by_key
            originals_are_paged_in_byte_order
            ready_samples_have_variants_and_count_copies
            variants_that_are_there_stay
            variant_totals_leave_out_what_is_not_catalogued
            frozen_splits_stay
            annotations_count_once_their_import_is_published
            annotations_are_replaced_by_what_was_changed_last
            another_version_of_a_file_replaces_all_of_it
            categories_keep_their_numbers
            annotation_links_are_replaced_by_record
            an_import_restarts_the_quiet_time
            originals_are_pending_until_their_image_has_variants
            originals_are_settled_one_by_one
            a_rejected_original_is_settled
            a_rejection_that_overtook_the_catalogue_counts
            an_overwritten_original_is_pending_again
            quiet_time_runs_from_the_last_change
            changes_elsewhere_leave_the_quiet_time
            a_plan_is_resumed_until_it_is_published
            concurrent_planners_agree
            a_newer_plan_abandons_the_older
            only_the_latest_published_version_is_unchanged
            a_version_is_published_when_all_its_shards_are_built
            an_abandoned_version_is_not_published
            shards_of_a_published_version_are_never_replaced
            an_unknown_version_is_an_error
            manifests_come_back_as_they_were_published
            manifests_are_paged_by_stage
            lineage_is_walked_both_ways
            lineage_walks_end_at_the_limit_and_in_cycles
            the_store_answers_a_ping
            a_duty_has_one_leader_at_a_time
            expired_claims_of_one_stage_are_freed
            named_objects_are_never_condemned
            nothing_condemned_is_published_until_it_is_buried_and_claimed_again
            work_claimed_before_a_burial_is_refused
            condemning_and_publishing_at_once_never_lose_an_object
        }
    };
    (@tests $make_store:path: $($behaviour:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $behaviour() -> anyhow::Result<()> {
            let (store, _keep) = $make_store().await?;
            $crate::testsuite::$behaviour(store).await
        }
    )*};
}
