//! Who may work on what, and for how long.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::future::{join_all, try_join_all};
use serde_json::json;
use types::{DatasetName, PolicyHash, RejectCode, RejectReason, StageName};

use super::fixtures::{
    LONG, SHORT, Store, claim_one, dataset, expect_owned, key, owned, owned_in_time, publication, publish,
    stage_key, tick, uri,
};
use crate::{Claim, ClaimKey, ClaimOutcome, ClaimStatus, Settlement, StoreError};

/// Sixteen tasks ask for one key at once: one gets it, the others are told when to come back.
pub async fn a_key_is_granted_to_one_of_sixteen_claimers(store: Store) -> anyhow::Result<()> {
    let key = key("contested.jpg");
    let owners: Vec<String> = (0..16).map(|n| format!("owner-{n}")).collect();
    let outcomes = try_join_all(owners.iter().map(|owner| claim_one(&store, &key, owner, LONG))).await?;
    let granted = outcomes.iter().filter(|outcome| matches!(outcome, ClaimOutcome::Owned(_))).count();
    assert_eq!(granted, 1, "{outcomes:?}");
    for outcome in outcomes {
        if let ClaimOutcome::NotNow { retry_in } = outcome {
            ensure!(retry_in > LONG / 2 && retry_in <= LONG, "retry in {retry_in:?}");
        }
    }
    Ok(())
}

/// When a lease ends, the next claimer gets a higher token and the next attempt.
pub async fn an_ended_lease_is_taken_over_with_a_higher_token(store: Store) -> anyhow::Result<()> {
    let key = key("abandoned.jpg");
    let first = expect_owned(claim_one(&store, &key, "first", SHORT).await?)?;
    assert_eq!(first.attempt, 1);
    let second = owned_in_time(&store, &key, "second").await?;
    ensure!(second.token > first.token, "{first:?} then {second:?}");
    assert_eq!(second.attempt, 2);
    Ok(())
}

/// After a takeover nothing that the old owner does has any effect.
pub async fn an_old_token_is_fenced_everywhere(store: Store) -> anyhow::Result<()> {
    let key = key("taken.jpg");
    let old = expect_owned(claim_one(&store, &key, "old", Duration::ZERO).await?)?;
    let new = owned(&store, &key).await?;
    let reason = RejectReason::new(RejectCode::Corrupt, "");

    assert_eq!(store.renew(&[old.clone(), new.clone()], LONG).await?, [false, true]);
    store.release(std::slice::from_ref(&old)).await?;
    let refused = [
        store.publish(&publication(&old, vec![])).await,
        store.put_checkpoint(&old, "part", &json!(1)).await,
        store.fail(&old, Duration::ZERO, "late").await,
        store.postpone(&old, Duration::ZERO).await,
        store.quarantine(&old, &reason).await,
    ];
    ensure!(refused.iter().all(|result| matches!(result, Err(StoreError::Fenced))), "{refused:?}");

    ensure!(store.checkpoints(&key).await?.is_empty());
    ensure!(store.manifests(&dataset(), StageName::Normalize, None, 10).await?.is_empty());
    store.publish(&publication(&new, vec![])).await?;
    Ok(())
}

/// A lease that ended is only lost when somebody took it: late work is not thrown away.
pub async fn an_ended_lease_that_nobody_took_is_still_ours(store: Store) -> anyhow::Result<()> {
    let (renewed, published) = (key("renewed.jpg"), key("published.jpg"));
    let outcomes = store.claim(&[renewed.clone(), published.clone()], "slow", Duration::ZERO).await?;
    let claims: Vec<Claim> = outcomes.into_iter().map(expect_owned).collect::<Result<_, _>>()?;
    assert_eq!(
        store.statuses(&[renewed.clone(), published.clone()]).await?,
        [ClaimStatus::Free, ClaimStatus::Free]
    );

    assert_eq!(store.renew(&claims[..1], LONG).await?, [true]);
    ensure!(matches!(claim_one(&store, &renewed, "other", LONG).await?, ClaimOutcome::NotNow { .. }));
    store.publish(&publication(&claims[1], vec![])).await?;
    Ok(())
}

/// A renewed lease counts from the renewal.
pub async fn renewal_keeps_others_out(store: Store) -> anyhow::Result<()> {
    let key = key("long.jpg");
    let claim = expect_owned(claim_one(&store, &key, "owner", SHORT).await?)?;
    assert_eq!(store.renew(&[claim.clone(), claim], LONG).await?, [true, true]);
    match claim_one(&store, &key, "other", LONG).await? {
        ClaimOutcome::NotNow { retry_in } => ensure!(retry_in > LONG / 2, "retry in {retry_in:?}"),
        other => anyhow::bail!("{other:?}"),
    }
    Ok(())
}

/// Of equal keys in one call the first is granted; of settled ones all are.
pub async fn equal_keys_in_one_call_are_granted_once(store: Store) -> anyhow::Result<()> {
    let (twice, done) = (key("twice.jpg"), key("done.jpg"));
    publish(&store, &done, vec![]).await?;
    let keys = [twice.clone(), done.clone(), twice.clone(), done, twice];
    let outcomes = store.claim(&keys, "owner", LONG).await?;
    ensure!(matches!(outcomes[0], ClaimOutcome::Owned(_)), "{outcomes:?}");
    ensure!(matches!(outcomes[2], ClaimOutcome::NotNow { .. }), "{outcomes:?}");
    ensure!(matches!(outcomes[4], ClaimOutcome::NotNow { .. }), "{outcomes:?}");
    assert_eq!(outcomes[1], ClaimOutcome::Settled(Settlement::Done));
    assert_eq!(outcomes[3], ClaimOutcome::Settled(Settlement::Done));
    Ok(())
}

/// The claim key is all of its parts.
pub async fn another_version_policy_stage_or_dataset_is_other_work(store: Store) -> anyhow::Result<()> {
    let known = key("known.jpg");
    publish(&store, &known, vec![]).await?;
    let mut others = vec![known.clone(); 4];
    others[0].object.version = "version-2".to_owned();
    others[1].policy = PolicyHash::of("other");
    others[2].stage = StageName::Ingest;
    others[3].dataset = "other".parse()?;
    for other in &others {
        assert_eq!(owned(&store, other).await?.attempt, 1);
    }
    assert_eq!(claim_one(&store, &known, "owner", LONG).await?, ClaimOutcome::Settled(Settlement::Done));
    let names: Vec<DatasetName> = store.datasets().await?.into_iter().map(|record| record.name).collect();
    assert_eq!(names, ["other".parse()?, dataset()], "claiming makes the dataset");
    Ok(())
}

/// Attempts count failures (and crashes), not work that was handed back.
pub async fn release_and_postpone_count_no_attempt_and_failures_do(store: Store) -> anyhow::Result<()> {
    let key = key("tried.jpg");
    let mut tokens = Vec::new();
    let mut claim = owned(&store, &key).await?;
    for expected_next in [1, 1, 2, 3] {
        tokens.push(claim.token);
        match tokens.len() {
            1 => store.release(std::slice::from_ref(&claim)).await?,
            2 => store.postpone(&claim, Duration::ZERO).await?,
            _ => store.fail(&claim, Duration::ZERO, "decoder said \0 no").await?,
        }
        claim = owned(&store, &key).await?;
        assert_eq!(claim.attempt, expected_next);
    }
    ensure!(tokens.is_sorted_by(|a, b| a < b), "tokens grow with every grant: {tokens:?}");
    Ok(())
}

/// Neither a failure nor a postponement is granted before its time, and then it is.
pub async fn waiting_work_is_not_granted_before_its_time(store: Store) -> anyhow::Result<()> {
    let (failed, postponed) = (key("failed.jpg"), key("postponed.jpg"));
    let begun = Instant::now();
    store.fail(&owned(&store, &failed).await?, SHORT, "not yet").await?;
    store.postpone(&owned(&store, &postponed).await?, SHORT).await?;
    for (key, attempt) in [(failed, 2), (postponed, 1)] {
        assert_eq!(owned_in_time(&store, &key, "next").await?.attempt, attempt);
        // The two clocks are read and rounded at different places: a millisecond each way.
        ensure!(begun.elapsed() + Duration::from_millis(2) >= SHORT, "granted after {:?}", begun.elapsed());
    }
    Ok(())
}

/// Everything that a dead owner holds is free at once, and nothing else.
pub async fn a_dead_owner_hands_everything_back(store: Store) -> anyhow::Result<()> {
    let keys = ["a.jpg", "b.jpg", "c.jpg"].map(key);
    store.claim(&keys[..2], "dead", LONG).await?;
    store.claim(&keys[2..], "alive", LONG).await?;
    assert_eq!(store.release_owner("dead").await?, 2);
    assert_eq!(store.release_owner("dead").await?, 0);
    let outcomes = store.claim(&keys, "next", LONG).await?;
    for outcome in &outcomes[..2] {
        assert_eq!(expect_owned(outcome.clone())?.attempt, 1, "what the dead owner began does not count");
    }
    ensure!(matches!(outcomes[2], ClaimOutcome::NotNow { .. }), "{outcomes:?}");
    Ok(())
}

/// Statuses come in the order of the question, for known and unknown keys, and change nothing.
pub async fn statuses_answer_in_order_and_claim_nothing(store: Store) -> anyhow::Result<()> {
    let [new, held, waiting, done, rejected] = ["new", "held", "waiting", "done", "rejected"].map(key);
    let reason = RejectReason::new(RejectCode::Truncated, "ends at byte 7");
    owned(&store, &held).await?;
    store.fail(&owned(&store, &waiting).await?, LONG, "later").await?;
    publish(&store, &done, vec![]).await?;
    store.quarantine(&owned(&store, &rejected).await?, &reason).await?;

    let asked = [rejected, new.clone(), held, done, waiting, new.clone()];
    let answers = store.statuses(&asked).await?;
    assert_eq!(answers[0], ClaimStatus::Settled(Settlement::Rejected(reason)));
    assert_eq!(answers[1], ClaimStatus::Free);
    assert_eq!(answers[3], ClaimStatus::Settled(Settlement::Done));
    assert_eq!(answers[5], ClaimStatus::Free);
    for answer in [&answers[2], &answers[4]] {
        ensure!(matches!(answer, ClaimStatus::NotNow { retry_in } if *retry_in > LONG / 2), "{answers:?}");
    }
    assert_eq!(owned(&store, &new).await?.attempt, 1);
    ensure!(store.statuses(&[]).await?.is_empty());
    Ok(())
}

/// Partial progress is there for the next attempt, by name, until the work is done.
pub async fn checkpoints_outlive_attempts_and_end_with_the_work(store: Store) -> anyhow::Result<()> {
    let key = key("big.tif");
    let claim = owned(&store, &key).await?;
    store.put_checkpoint(&claim, "upload", &json!({ "parts": [1, 2] })).await?;
    store.put_checkpoint(&claim, "decode", &json!("\u{0}")).await?;
    store.put_checkpoint(&claim, "upload", &json!({ "parts": [1, 2, 3] })).await?;
    store.fail(&claim, Duration::ZERO, "lost").await?;
    let expected =
        [("decode".to_owned(), json!("\u{0}")), ("upload".to_owned(), json!({ "parts": [1, 2, 3] }))];
    assert_eq!(store.checkpoints(&key).await?, expected);

    let claim = owned(&store, &key).await?;
    store.publish(&publication(&claim, vec![])).await?;
    ensure!(store.checkpoints(&key).await?.is_empty());
    let late = store.put_checkpoint(&claim, "late", &json!(1)).await;
    ensure!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    Ok(())
}

/// What a stage knows of an object: every version and policy, the one claimed last first.
pub async fn processed_lists_every_version_newest_claim_first(store: Store) -> anyhow::Result<()> {
    let versions =
        ["v1", "v2", "v3"].map(|version| stage_key(StageName::Normalize, "s3://bronze/images/x", version));
    publish(&store, &versions[1], vec![]).await?;
    tick().await;
    store.fail(&owned(&store, &versions[0]).await?, LONG, "later").await?;
    tick().await;
    owned(&store, &versions[2]).await?;
    owned(&store, &key("x.other")).await?;
    owned(&store, &stage_key(StageName::Shard, "s3://bronze/images/x", "v1")).await?;

    let records = store.processed(StageName::Normalize, &uri("s3://bronze/images/x")).await?;
    let keys: Vec<&ClaimKey> = records.iter().map(|record| &record.key).collect();
    assert_eq!(keys, [&versions[2], &versions[0], &versions[1]]);
    assert_eq!(records[2].status, ClaimStatus::Settled(Settlement::Done));
    ensure!(matches!(records[1].status, ClaimStatus::NotNow { .. }), "{records:?}");
    assert_eq!(records[1].attempts, 1);
    Ok(())
}

/// Keys are bytes to us: what S3 allows comes back as it was.
pub async fn odd_keys_are_kept_byte_for_byte(store: Store) -> anyhow::Result<()> {
    let incompressible: String = (0..64).map(|n: u32| types::Sha256::of(n.to_be_bytes()).to_hex()).collect();
    // S3 allows 1024 bytes of key, and a version id as long: together the largest index row.
    let longest: String = incompressible.chars().take(1024 - "images/".len()).collect();
    let version: String = incompressible.chars().rev().take(1024).collect();
    let names = [
        "ünï ✓",
        "a%20b+c",
        "'; DROP TABLE claims; --",
        "tab\tnew\nline\u{1b}[31m",
        "//x//",
        "\u{10ffff}",
        "E\u{301}",
    ];
    let mut keys: Vec<ClaimKey> = names.iter().map(|name| key(name)).collect();
    keys.push(stage_key(StageName::Normalize, &format!("s3://bronze/images/{longest}"), &version));
    for key in &keys {
        publish(&store, key, vec![]).await?;
        let records = store.processed(key.stage, &key.object.uri).await?;
        assert_eq!(records.len(), 1);
        assert_eq!(&records[0].key, key);
    }
    Ok(())
}

/// A page of a bucket's listing is one call.
pub async fn ten_thousand_keys_are_one_call(store: Store) -> anyhow::Result<()> {
    let keys: Vec<ClaimKey> = (0..10_000).map(|n| key(&format!("{:04}", (n * 7919) % 10_000))).collect();
    let outcomes = store.claim(&keys, "bulk", LONG).await?;
    let claims: Vec<Claim> = outcomes.into_iter().map(expect_owned).collect::<Result<_, _>>()?;
    ensure!(
        claims.iter().zip(&keys).all(|(claim, key)| claim.key == *key),
        "answers in the order of the question"
    );
    ensure!(store.renew(&claims, LONG).await?.into_iter().all(|renewed| renewed));
    store.release(&claims[1..]).await?;
    let statuses = store.statuses(&keys).await?;
    ensure!(matches!(statuses[0], ClaimStatus::NotNow { .. }));
    ensure!(statuses[1..].iter().all(|status| *status == ClaimStatus::Free));
    Ok(())
}

/// Concurrent writers wait for each other; none fails for it.
pub async fn sixteen_tasks_write_at_once(store: Store) -> anyhow::Result<()> {
    let one = |task: usize| {
        let store = Store::clone(&store);
        async move {
            for n in 0..8 {
                let (own, shared) = (key(&format!("{task}-{n}")), key(&format!("shared-{n}")));
                publish(&store, &own, vec![]).await?;
                store.claim(&[shared, own], &format!("owner-{task}"), LONG).await?;
            }
            anyhow::Ok(())
        }
    };
    let tasks = (0..16).map(|task| tokio::spawn(one(task)));
    for result in join_all(tasks).await {
        result??;
    }
    assert_eq!(store.manifests(&dataset(), StageName::Normalize, None, 1000).await?.len(), 16 * 8);
    Ok(())
}
