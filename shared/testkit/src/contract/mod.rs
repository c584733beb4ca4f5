//! One suite per port that every adapter must pass. Each case is a function; a macro makes a test of each.

pub mod blobs;
pub mod store;
pub mod vault;

/// Makes a test of every case of [`store`]. `$run` drives a future to its end; `$open` takes an `Arc<FakeClock>` and gives an
/// `Arc<dyn Store>` that is empty, and something to keep while the case runs.
#[macro_export]
macro_rules! store_contract {
    ($run:path, $open:path) => {
        $crate::store_contract! { $run, $open, commits: [
            versions_count_from_one, conflicts_name_every_failed_operation, a_commit_is_all_or_nothing, deletes_are_guarded,
            checks_change_nothing, a_put_replaces_the_whole_record, one_committer_wins_per_version,
        ] }
        $crate::store_contract! { $run, $open, limits: [
            a_commit_has_1_to_100_operations, no_key_stands_twice, keys_have_a_length, an_index_has_one_entry_per_record,
            places_have_a_length, a_record_has_a_size, a_commit_has_a_size, a_page_has_1_to_1000_records, cursors_of_other_queries_are_refused,
        ] }
        $crate::store_contract! { $run, $open, queries: [
            partitions_are_ordered_by_bytes, partitions_do_not_mix, index_ties_are_ordered_by_key, pages_join_to_the_whole,
            pages_are_stable_while_writes_go_on, ranges_cut_both_ends, skip_leaves_out_the_first, totals_follow_the_scope,
            index_entries_follow_their_record, records_come_whole, due_records_come_in_order,
        ] }
        $crate::store_contract! { $run, $open, expiry: [
            expired_records_are_invisible, expired_records_do_not_count, expired_records_fail_no_absent_guard,
            a_later_ttl_keeps_a_record,
        ] }
    };
    ($run:path, $open:path, $group:ident: [$($case:ident),* $(,)?]) => { $(
        #[test]
        fn $case() {
            let clock = $crate::contract::store::clock();
            let (store, _kept) = $open(clock.clone());
            $run($crate::contract::store::$group::$case(store, clock));
        }
    )* };
}

/// Makes a test of every case of [`blobs`]. `$open` gives an `Arc<dyn Blobs>` that is empty, and something to keep.
#[macro_export]
macro_rules! blobs_contract {
    ($run:path, $open:path) => {
        $crate::blobs_contract! { $run, $open, [
            content_comes_back, the_digest_is_the_address, what_is_missing_is_named, digests_are_not_paths,
        ] }
    };
    ($run:path, $open:path, [$($case:ident),* $(,)?]) => { $(
        #[test]
        fn $case() {
            let (blobs, _kept) = $open();
            $run($crate::contract::blobs::$case(blobs));
        }
    )* };
}

/// Makes a test of every case of [`vault`]. `$open` gives an `Arc<dyn Vault>`, and something to keep.
#[macro_export]
macro_rules! vault_contract {
    ($run:path, $open:path) => {
        $crate::vault_contract! { $run, $open, [
            what_was_sealed_opens, sealed_text_hides_the_secret, another_context_is_refused, damaged_text_is_refused,
        ] }
    };
    ($run:path, $open:path, [$($case:ident),* $(,)?]) => { $(
        #[test]
        fn $case() {
            let (vault, _kept) = $open();
            $run($crate::contract::vault::$case(vault));
        }
    )* };
}
