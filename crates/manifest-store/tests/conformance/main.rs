//! Both adapters against the conformance suite, and the claim life cycle against a model.

mod model;
mod postgres;
mod sqlite;
