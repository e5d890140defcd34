//! The service binaries as processes, against a real Postgres and S3 servers over HTTP: moto (written by others) where
//! it holds the keys, our own local cloud where it does not.

mod annotations;
mod chain;
mod configuration;
mod drain;
mod events;
mod hostile_keys;
mod library_run;
mod metrics;
mod nvme;
mod poison;
mod replicas;
mod stand;
