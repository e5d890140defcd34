//! The event gateway: takes the webhooks of object stores (MinIO, RustFS) and puts what they say on the queue that the
//! stages read.
//!
//! `POST /webhook` with `Authorization: Bearer TOKEN`. The answer is 2xx only when the queue has the events. What is
//! sent on is [`s3_events::canonical`], never the body as it came: bodies can hold credentials.
//!
//! **Senders** repeat what was not answered with 2xx. MinIO sends its stored events in order and one at a time, the same
//! one every 3 seconds until it is taken (`internal/store/store.go`): one that is never taken would hold up all later
//! ones. So a body that says nothing is taken too, goes to the queue as *poison*, which no worker can read, and becomes
//! a dead letter. RustFS repeats at once, without a pause, when much is waiting and it is answered 503; so while the
//! queue is away, requests are held (`GATEWAY_HOLD`) before they are answered at all.
//!
//! **Repeats** of what was queued within the last minutes are answered 200 and not sent again. This saves work and
//! nothing depends on it: the memory is that of one process, and workers take every event any number of times.
//!
//! **TLS** is not spoken here. A proxy before it (an ingress, a sidecar) ends TLS, and may ask for client certificates,
//! which MinIO and RustFS can show. The token passes over the wire in clear otherwise. Nor does Ceph RGW have a setting
//! for the token of an HTTP endpoint (`doc/radosgw/notifications.rst`); for it that proxy must add the header.
//!
//! **Limits** ([`Limits`]) hold before any of a request is believed: connections, time for the head and the body, size
//! of a body, requests and bytes of bodies at a time. What is not authenticated has no body read.

mod admin;
mod answer;
mod body;
mod config;
mod delivery;
mod gateway;
mod health;
mod metrics;
mod open_files;
mod parcel;
mod poison;
mod rarely;
mod recent;
mod run;
mod server;
mod tokens;
mod webhook;

pub use config::{Arguments, Limits, Settings};
pub use gateway::{Gateway, Stop};
pub use run::run;
pub use tokens::Tokens;
