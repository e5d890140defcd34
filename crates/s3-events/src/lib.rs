//! Bucket notifications of every sender, parsed (L0): Amazon S3 (2.0 to 2.6), SNS-wrapped, EventBridge, MinIO, RustFS,
//! Ceph RGW. Pure: no I/O, no clock.
//!
//! [`parse`] reads a body, [`canonical`] writes events in one form whoever sent them, [`ObjectEvent::cmp_sequence`]
//! orders two events of one object, and [`Poison`] keeps for people what nobody can read.
//!
//! Sources of the formats:
//! - Amazon S3: "Event message structure" (`notification-content-structure`) of the S3 user guide.
//! - EventBridge: "EventBridge event message structure" (`ev-events`) of the same guide.
//! - SNS: "HTTP/HTTPS notification JSON format" of the SNS developer guide.
//! - MinIO: `internal/event/event.go` and `cmd/event-notification.go` of minio/minio.
//! - RustFS: `crates/notify/src/event.rs` of rustfs/rustfs and bodies sent by RustFS 1.0.1; builds before the change
//!   rustfs/rustfs#1138 use other names for the same things.
//! - Ceph: `doc/radosgw/notifications.rst` and `src/rgw/rgw_pubsub.cc` of ceph/ceph.

mod canonical;
mod event;
mod key;
mod kind;
mod parse;
mod poison;
mod sender;
mod sequence;

pub use canonical::canonical;
pub use event::{EventKind, Notification, ObjectEvent, ParseError, Sender};
pub use parse::{MAX_BODY_BYTES, parse};
pub use poison::Poison;
