//! `imageml` as its users run it: the real binary, a home of its own for each test.

mod annotation_files;
mod annotations;
mod bench;
mod bucket;
mod curation;
mod dataset;
mod dlq;
mod folder;
mod interruption;
mod layers;
mod pictures;
mod preview;
mod quarantine;
mod raccoon;
mod run;
mod usage;
