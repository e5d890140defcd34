//! Publication in Postgres: any number of them in one transaction of a fixed number of statements.

mod inserts;
mod versions;

use std::collections::HashMap;

use sqlx::{Connection, FromRow, PgTransaction};

use super::lists::{KeyArrays, Placed, column, distinct, with_objects};
use super::{PostgresStore, commit};
use crate::encoding::{integer, number};
use crate::failures::failed;
use crate::rows::{Fence, ObjectClaimRow, ObjectClaims, ObjectColumns};
use crate::{Effect, Publication, StoreError};

/// One answer to each publication of a call.
type Answers = Vec<Result<(), StoreError>>;

/// Objects among the outputs of a publication that are being removed, or were.
#[derive(Debug, FromRow)]
struct RemovedRow {
    place: Option<i64>,
    removed_at: Option<i64>,
}

impl PostgresStore {
    /// Publishes all in one transaction. `Invalid` when the database refuses a value, whosever it is.
    pub(super) async fn publish_together(&self, publications: &[Publication]) -> Result<Answers, StoreError> {
        if publications.is_empty() {
            return Ok(Vec::new());
        }
        let mut transaction = self.begin_publishing().await?;
        let (objects, which) = distinct(publications.iter().map(|one| ObjectColumns::from(&one.claim.key)));
        let removed = lock(&mut transaction, &objects, publications).await?;
        let mut claims = object_claims(&mut transaction, &objects).await?;
        let mut accepted = Vec::with_capacity(publications.len());
        let mut answers = Vec::with_capacity(publications.len());
        for (place, (publication, object)) in publications.iter().zip(which).enumerate() {
            let claims = &mut claims[object];
            let answer = match claims.judge(&publication.claim, removed.get(&place).copied()) {
                Ok(Fence::Ours) => {
                    let answer = version_effects(&mut transaction, publication).await?;
                    if answer.is_ok() {
                        claims.settle(&publication.claim);
                        accepted.push(publication);
                    }
                    answer
                }
                Ok(Fence::DoneByUs) => Ok(()),
                Err(refusal) => Err(refusal),
            };
            answers.push(answer);
        }
        if !accepted.is_empty() {
            inserts::insert(&mut transaction, &accepted).await?;
            settle(&mut transaction, &objects, &claims).await?;
        }
        commit(transaction).await?;
        Ok(answers)
    }

    /// Publishes each in a transaction of its own. When the store goes away, the rest is not tried.
    pub(super) async fn publish_one_by_one(&self, publications: &[Publication]) -> Answers {
        let mut away: Option<String> = None;
        let mut answers = Answers::with_capacity(publications.len());
        for publication in publications {
            let answer = match &away {
                Some(why) => Err(StoreError::Unavailable(why.clone())),
                None => {
                    let answered = self.publish_together(std::slice::from_ref(publication)).await;
                    answered.and_then(|answers| answers.into_iter().collect())
                }
            };
            if let Err(StoreError::Unavailable(why)) = &answer {
                away = Some(why.clone());
            }
            answers.push(answer);
        }
        answers
    }
}

/// Locks the claims of these objects; for each publication with outputs that are condemned, when the last was buried.
async fn lock(
    transaction: &mut PgTransaction<'_>,
    objects: &[ObjectColumns<'_>],
    publications: &[Publication],
) -> Result<HashMap<usize, i64>, StoreError> {
    let mut places = Vec::new();
    let mut outputs = Vec::new();
    for (place, publication) in publications.iter().enumerate() {
        let entries = publication.manifest.entries.iter().map(|entry| &entry.output_uri);
        for uri in entries.chain([&publication.manifest_uri]) {
            places.push(integer(place)?);
            outputs.push(uri.to_string());
        }
    }
    let rows: Vec<RemovedRow> =
        with_objects(include_str!("../../queries/postgres/lock_objects.sql"), objects)
            .bind(places)
            .bind(outputs)
            .fetch_all(&mut **transaction)
            .await
            .map_err(failed)?;
    let removed = rows.into_iter().filter_map(|row| row.place.zip(row.removed_at));
    removed.map(|(place, removed_at)| Ok((number("place", place)?, removed_at))).collect()
}

/// The claims of each object.
async fn object_claims(
    transaction: &mut PgTransaction<'_>,
    objects: &[ObjectColumns<'_>],
) -> Result<Vec<ObjectClaims>, StoreError> {
    let rows: Vec<Placed<ObjectClaimRow>> =
        with_objects(include_str!("../../queries/postgres/object_claims.sql"), objects)
            .fetch_all(&mut **transaction)
            .await
            .map_err(failed)?;
    let mut claims: Vec<ObjectClaims> = objects.iter().map(|_| ObjectClaims::default()).collect();
    for row in rows {
        let (object, row) = row.split()?;
        claims[object].add(row);
    }
    Ok(claims)
}

/// Applies the effects that may be refused, wholly or not at all. The outer error is about the transaction.
async fn version_effects(
    transaction: &mut PgTransaction<'_>,
    publication: &Publication,
) -> Result<Result<(), StoreError>, StoreError> {
    let of_versions =
        |effect: &Effect| matches!(effect, Effect::ShardBuilt { .. } | Effect::VersionPublished { .. });
    if !publication.effects.iter().any(of_versions) {
        return Ok(Ok(()));
    }
    let mut savepoint = transaction.begin().await.map_err(failed)?;
    match versions::apply(&mut savepoint, publication).await {
        Ok(()) => savepoint.commit().await.map_err(failed).map(Ok),
        Err(error @ StoreError::Unavailable(_)) => Err(error),
        Err(refusal) => savepoint.rollback().await.map_err(failed).map(|()| Err(refusal)),
    }
}

/// Writes down what became of the claims.
async fn settle(
    transaction: &mut PgTransaction<'_>,
    objects: &[ObjectColumns<'_>],
    claims: &[ObjectClaims],
) -> Result<(), StoreError> {
    let changes = objects.iter().zip(claims).flat_map(|(object, claims)| claims.changes(*object));
    let (keys, changes): (Vec<_>, Vec<_>) = changes.unzip();
    let keys: KeyArrays<'_> = keys.into_iter().collect();
    keys.query(include_str!("../../queries/postgres/settle.sql"))
        .bind(column(&changes, |change| change.as_str()))
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}
