//! Listings by page.
//!
//! A truncated page leaves its walk behind, so that the next page goes on where it stopped and a listing of n objects
//! costs one reading of each folder, not one a page. A walk that is gone (another page took its place, the server was
//! restarted, a page is asked for twice) is begun anew after the last key, which the token holds as well.
//! Objects that appear or go between two pages may or may not be listed; every first page sees all writes before it.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::Bucket;
use super::walk::{Found, Walk};

/// Walks kept for a next page; one holds the names of the folders on its way down.
const KEPT: usize = 16;

/// What to list.
#[derive(Debug, Clone)]
pub(crate) struct ListQuery {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) delimiter: Option<String>,
    pub(crate) start_after: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) limit: usize,
}

/// One page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Listed>,
    /// The common prefixes up to the delimiter.
    pub(crate) prefixes: Vec<String>,
    pub(crate) next: Option<String>,
}

/// One object.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) modified: SystemTime,
}

/// The walks left behind by truncated pages, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Cursors(Mutex<(u64, VecDeque<(u64, Cursor)>)>);

#[derive(Debug)]
struct Cursor {
    bucket: String,
    prefix: String,
    delimiter: Option<String>,
    /// The last key or common prefix that was listed.
    last: Option<String>,
    walk: Walk,
    pending: Option<Found>,
}

/// A token that this server did not make.
#[derive(Debug)]
pub(crate) struct InvalidToken;

impl Cursors {
    /// One page of the listing.
    pub(crate) fn list(&self, bucket: &Bucket, query: &ListQuery) -> Result<io::Result<Page>, InvalidToken> {
        let token = query.token.as_deref().map(parse_token).transpose()?;
        let kept = token.as_ref().and_then(|(id, last)| self.take(*id, last, query));
        let last = token.map(|(_, last)| last).or_else(|| query.start_after.clone());
        let cursor = match kept {
            Some(cursor) => Ok(cursor),
            None => Cursor::begin(bucket, query, last),
        };
        Ok(cursor.and_then(|cursor| self.page(bucket, cursor, query.limit)))
    }

    fn page(&self, bucket: &Bucket, mut cursor: Cursor, limit: usize) -> io::Result<Page> {
        let mut page = Page::default();
        if limit == 0 {
            return Ok(page);
        }
        while page.objects.len() + page.prefixes.len() < limit {
            let Some(found) = cursor.next() else { return Ok(page) };
            if let Some(common) = cursor.common_prefix(&found.key) {
                cursor.last = Some(common.clone());
                page.prefixes.push(common);
            } else {
                if let Some((stamp, etag)) = bucket.describe(&found.key, &found.path)? {
                    let (size, modified) = (stamp.size, stamp.modified());
                    page.objects.push(Listed { key: found.key.clone(), size, etag, modified });
                }
                cursor.last = Some(found.key);
            }
        }
        cursor.pending = cursor.next();
        if cursor.pending.is_some() {
            page.next = Some(self.keep(cursor));
        }
        Ok(page)
    }

    fn take(&self, id: u64, last: &str, query: &ListQuery) -> Option<Cursor> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.1.iter().position(|(other, cursor)| {
            *other == id
                && cursor.last.as_deref() == Some(last)
                && (&cursor.bucket, &cursor.prefix, &cursor.delimiter)
                    == (&query.bucket, &query.prefix, &query.delimiter)
        })?;
        kept.1.remove(at).map(|(_, cursor)| cursor)
    }

    fn keep(&self, cursor: Cursor) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 += 1;
        let id = kept.0;
        let token = format!("{id:x}.{}", hex::encode(cursor.last.as_deref().unwrap_or("")));
        kept.1.push_back((id, cursor));
        if kept.1.len() > KEPT {
            kept.1.pop_front();
        }
        token
    }
}

impl Cursor {
    fn begin(bucket: &Bucket, query: &ListQuery, last: Option<String>) -> io::Result<Self> {
        let ListQuery { bucket: name, prefix, delimiter, .. } = query.clone();
        let walk = bucket.walk(&prefix, last.as_deref())?;
        Ok(Self { bucket: name, prefix, delimiter, last, walk, pending: None })
    }

    /// The next key that is not part of the common prefix listed last.
    fn next(&mut self) -> Option<Found> {
        if let Some(pending) = self.pending.take() {
            return Some(pending);
        }
        let listed = self.last.clone().filter(|last| self.common_prefix(last).as_ref() == Some(last));
        loop {
            let found = self.walk.next()?;
            if !listed.as_ref().is_some_and(|listed| found.key.starts_with(listed)) {
                return Some(found);
            }
        }
    }

    /// What `key` is rolled up to: the prefix and everything up to the first delimiter after it.
    fn common_prefix(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(&self.prefix)?;
        let (head, _) = rest.split_once(delimiter)?;
        Some(format!("{}{head}{delimiter}", self.prefix))
    }
}

fn parse_token(token: &str) -> Result<(u64, String), InvalidToken> {
    let (id, last) = token.split_once('.').ok_or(InvalidToken)?;
    let id = u64::from_str_radix(id, 16).map_err(|_| InvalidToken)?;
    let last = hex::decode(last).map_err(|_| InvalidToken)?;
    Ok((id, String::from_utf8(last).map_err(|_| InvalidToken)?))
}
