//! Lists in one statement: values as the parallel arrays that `UNNEST` takes, and rows that say to which
//! place in the list they belong.

use std::collections::HashMap;
use std::hash::Hash;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{FromRow, Postgres};

use crate::encoding::number;
use crate::rows::{KeyColumns, ObjectColumns};
use crate::{ClaimKey, StoreError};

/// One column of a list of records.
pub(super) fn column<'r, R, C>(records: &'r [R], value: impl Fn(&'r R) -> C) -> Vec<C> {
    records.iter().map(value).collect()
}

/// Claim keys, column by column.
#[derive(Debug, Default)]
pub(super) struct KeyArrays<'k> {
    stages: Vec<&'static str>,
    buckets: Vec<&'k str>,
    keys: Vec<&'k str>,
    versions: Vec<&'k str>,
    datasets: Vec<&'k str>,
    policies: Vec<Vec<u8>>,
}

impl<'k> FromIterator<&'k ClaimKey> for KeyArrays<'k> {
    fn from_iter<I: IntoIterator<Item = &'k ClaimKey>>(keys: I) -> Self {
        keys.into_iter().map(KeyColumns::from).collect()
    }
}

impl<'k> FromIterator<KeyColumns<'k>> for KeyArrays<'k> {
    fn from_iter<I: IntoIterator<Item = KeyColumns<'k>>>(keys: I) -> Self {
        let mut arrays = Self::default();
        for columns in keys {
            arrays.stages.push(columns.stage);
            arrays.buckets.push(columns.bucket);
            arrays.keys.push(columns.key);
            arrays.versions.push(columns.version);
            arrays.datasets.push(columns.dataset);
            arrays.policies.push(columns.policy);
        }
        arrays
    }
}

impl KeyArrays<'_> {
    /// A statement whose first six parameters are these keys.
    pub(super) fn query<'q>(&self, sql: &'static str) -> Query<'q, Postgres, PgArguments> {
        sqlx::query(sql)
            .bind(&self.stages)
            .bind(&self.buckets)
            .bind(&self.keys)
            .bind(&self.versions)
            .bind(&self.datasets)
            .bind(&self.policies)
    }

    /// The same for a statement that answers rows.
    pub(super) fn query_as<'q, R>(&'q self, sql: &'static str) -> QueryAs<'q, Postgres, R, PgArguments>
    where
        R: for<'r> FromRow<'r, PgRow>,
    {
        sqlx::query_as(sql)
            .bind(&self.stages)
            .bind(&self.buckets)
            .bind(&self.keys)
            .bind(&self.versions)
            .bind(&self.datasets)
            .bind(&self.policies)
    }
}

/// A statement whose first four parameters are objects, column by column.
pub(super) fn with_objects<'q, R>(
    sql: &'static str,
    objects: &[ObjectColumns<'q>],
) -> QueryAs<'q, Postgres, R, PgArguments>
where
    R: for<'r> FromRow<'r, PgRow>,
{
    sqlx::query_as(sql)
        .bind(column(objects, |object| object.stage))
        .bind(column(objects, |object| object.bucket))
        .bind(column(objects, |object| object.key))
        .bind(column(objects, |object| object.dataset))
}

/// A row that belongs to one place of the arrays that were asked about.
#[derive(Debug, FromRow)]
pub(super) struct Placed<T> {
    place: i64,
    #[sqlx(flatten)]
    row: T,
}

impl<T> Placed<T> {
    /// The place from 0 (SQL's ordinality counts from 1) and the row.
    pub(super) fn split(self) -> Result<(usize, T), StoreError> {
        Ok((number("place", self.place - 1)?, self.row))
    }
}

/// The rows by their place.
pub(super) fn by_place<R>(rows: Vec<Placed<R>>) -> Result<HashMap<usize, R>, StoreError> {
    rows.into_iter().map(Placed::split).collect()
}

/// The different values of a list, and for each of the list's items which of them it is: one statement can
/// touch a row only once.
pub(super) fn distinct<T: Hash + Eq + Copy>(items: impl Iterator<Item = T>) -> (Vec<T>, Vec<usize>) {
    let mut places = HashMap::new();
    let mut different = Vec::new();
    let which = items
        .map(|item| {
            *places.entry(item).or_insert_with(|| {
                different.push(item);
                different.len() - 1
            })
        })
        .collect();
    (different, which)
}
