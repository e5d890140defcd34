//! `imageml`: the whole pipeline on one machine, and the window into a manifest store.

mod annotations;
mod arguments;
mod backend;
mod curation;
mod dataset;
mod demo;
mod dlq;
mod home;
mod normalize_folder;
mod output;
mod preview;
mod processed;
mod published;
mod rejected;
mod run;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Cli, Command};

fn main() -> ExitCode {
    match image_workers::serve_if_asked() {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(_)) => ExitCode::FAILURE,
        None => command(),
    }
}

#[tokio::main]
async fn command() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = service::init_tracing(&cli.log.arguments()) {
        return output::fail(&error);
    }
    let done = match cli.command {
        Command::Run(arguments) => Box::pin(run::run(*arguments)).await,
        Command::Normalize(arguments) => Box::pin(normalize_folder::run(*arguments)).await,
        Command::Curate(arguments) => Box::pin(curation::run(arguments)).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Dataset { command, backend } => dataset::run(command, &backend).await,
        Command::Rejected { command, backend } => rejected::run(command, &backend).await,
        Command::Annotations { command } => Box::pin(annotations::run(command)).await,
        Command::Preview(arguments) => Box::pin(preview::run(arguments)).await,
        Command::Processed(arguments) => processed::run(arguments).await,
        Command::Dlq { command } => Box::pin(dlq::run(command)).await,
    };
    done.unwrap_or_else(|error| output::fail(&error))
}
