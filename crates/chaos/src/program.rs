//! Service programs, with failpoints compiled in.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use testkit::Service;

/// A program of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Stage 1.
    Ingest,
    /// Stage 2.
    Normalize,
    /// The webhook gateway.
    Gateway,
}

impl Program {
    /// Where it is: beside the running program, or one folder up where that is a test.
    pub fn path(self) -> anyhow::Result<PathBuf> {
        let name = match self {
            Self::Ingest => "chaotic-ingest",
            Self::Normalize => "chaotic-normalize",
            Self::Gateway => "chaotic-event-gateway",
        };
        let ours = std::env::current_exe()?;
        let folders = ours.ancestors().skip(1).take(2);
        let mut places = folders.map(|folder| folder.join(name));
        places
            .find(|place| place.is_file())
            .with_context(|| format!("{name} is not built: `cargo build -p chaos --bins`"))
    }
}

/// A service process to be: its settings.
#[derive(Debug)]
pub struct Pod {
    program: Program,
    command: Vec<(String, String)>,
    arguments: Vec<String>,
    wrapper: Vec<String>,
}

impl Pod {
    pub(crate) fn new(program: Program) -> Self {
        Self { program, command: Vec::new(), arguments: Vec::new(), wrapper: Vec::new() }
    }

    /// Sets an environment variable; a later one wins.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.command.push((name.to_owned(), value.into()));
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// What happens at which point of the protocol: `published=kill@3`, see crates/service/src/failpoints.rs.
    #[must_use]
    pub fn failpoints(self, points: &str) -> Self {
        self.env("IMAGEML_FAILPOINTS", points)
    }

    /// Runs it under another program, such as strace.
    #[must_use]
    pub fn under(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Starts the process.
    ///
    /// # Errors
    /// The program is not there.
    pub fn start(self) -> anyhow::Result<Service> {
        let path = self.program.path()?;
        let mut words = self.wrapper.into_iter().map(PathBuf::from).chain([path]);
        let first = words.next().context("a program")?;
        Service::start(&first, |command: &mut Command| {
            command.args(words).args(self.arguments).envs(self.command);
        })
    }
}
