//! `imageml annotations`: what people and models say of images.

mod export;
pub(crate) mod import;
mod report;

use std::process::ExitCode;

use crate::arguments::AnnotationsCommand;

pub(crate) async fn run(command: AnnotationsCommand) -> anyhow::Result<ExitCode> {
    match command {
        AnnotationsCommand::Import(arguments) => import::run(arguments).await,
        AnnotationsCommand::Export(arguments) => export::run(arguments).await,
        AnnotationsCommand::Report { name, backend } => report::run(&name, &backend).await,
    }
}
