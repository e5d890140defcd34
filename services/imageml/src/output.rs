//! What people and scripts see.

use std::io::Write;
use std::process::ExitCode;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use types::escape_key;

/// Prints one JSON document on standard output.
pub(crate) fn json(document: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, document)?;
    writeln!(out)?;
    Ok(())
}

/// Prints a line on standard output.
pub(crate) fn line(text: impl AsRef<str>) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{}", text.as_ref())?;
    Ok(())
}

/// Prints a document on standard output as it is.
pub(crate) fn bytes(document: &[u8]) -> anyhow::Result<()> {
    std::io::stdout().lock().write_all(document)?;
    Ok(())
}

/// Prints a line on standard error: progress and advice, which scripts do not read.
pub(crate) fn note(text: impl AsRef<str>) {
    // Nobody may be reading any more; that is no reason to stop working.
    drop(writeln!(std::io::stderr().lock(), "{}", text.as_ref()));
}

/// Prints what is wrong with the arguments; the exit code of wrong usage.
pub(crate) fn misuse(error: &dyn std::error::Error) -> ExitCode {
    note(format!("error: {error}"));
    ExitCode::from(2)
}

/// Prints an error and its causes; the exit code of a failure.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    note(format!("error: {error:#}"));
    ExitCode::FAILURE
}

/// A table with a header; columns in `right` are aligned to the right.
pub(crate) fn table(header: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(header.to_vec());
    for row in rows {
        // Keys are other people's: they must not steer the terminal.
        table.add_row(row.iter().map(|cell| escape_key(cell)));
    }
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    bytesize::ByteSize(bytes).display().iec().to_string()
}

/// A time of the database's clock, UTC.
pub(crate) fn time(seconds: i64) -> String {
    let since_epoch = std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + since_epoch).to_string()
}
