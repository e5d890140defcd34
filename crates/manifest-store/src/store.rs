//! The seam, one trait per concern.

pub(crate) mod annotations;
pub(crate) mod catalogue;
pub(crate) mod claims;
pub(crate) mod history;
pub(crate) mod upkeep;
pub(crate) mod versions;

use annotations::Annotations;
use catalogue::Catalogue;
use claims::Claims;
use history::History;
use upkeep::Upkeep;
use versions::Versions;

/// The whole seam. Implemented for everything that implements its parts.
///
/// Contract, for every method of every part:
/// - calls are single transactions, but for [`Claims::publish_all`], which says what it is: an `Err` means that
///   nothing happened, except [`StoreError::Unknown`](crate::StoreError::Unknown), which means that it may have;
/// - bulk methods answer in the order of their arguments, one answer each;
/// - leases and delays are judged by the database's clock, never by a caller's;
/// - dropping a future is safe: the transaction rolls back or has committed.
pub trait ManifestStore: Claims + Catalogue + Annotations + Versions + History + Upkeep {}

impl<T: Claims + Catalogue + Annotations + Versions + History + Upkeep> ManifestStore for T {}
