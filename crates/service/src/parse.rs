//! The command line and the environment, parsed.

use clap::error::{ContextKind, ContextValue};
use clap::{Command, Error, Parser};

/// Parses the command line and the environment. Ends the process as clap does – help and version with 0, wrong
/// usage with 2 – but names the environment variable of a missing setting too: services are set up by those.
pub fn parse<T: Parser>() -> T {
    T::try_parse().unwrap_or_else(|error| with_variables(error, T::command()).exit())
}

fn with_variables(mut error: Error, mut command: Command) -> Error {
    // Only a built command can show its arguments as errors do.
    command.build();
    if let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) {
        let named = missing.iter().map(|argument| with_variable(argument, &command)).collect();
        error.insert(ContextKind::InvalidArg, ContextValue::Strings(named));
    }
    error
}

fn with_variable(argument: &str, command: &Command) -> String {
    let found = command.get_arguments().find(|known| known.to_string() == argument);
    match found.and_then(|known| known.get_env()) {
        Some(variable) => format!("{argument} (or {})", variable.to_string_lossy()),
        None => argument.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[arg(long, env = "A_VARIABLE_THAT_IS_NOT_SET", value_name = "URL")]
        _database: String,
    }

    #[test]
    fn missing_settings_are_named_by_flag_and_variable() {
        let error = Arguments::try_parse_from(["program"]).expect_err("it is required");
        let text = with_variables(error, Arguments::command()).to_string();
        assert!(text.contains("--database <URL> (or A_VARIABLE_THAT_IS_NOT_SET)"), "{text}");
    }
}
