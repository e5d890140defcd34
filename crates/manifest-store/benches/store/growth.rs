//! How the cost of the store's calls grows with what is in it, on PostgreSQL with its default settings.
//!
//! `cargo bench -p manifest-store --bench growth [-- OPTION…]`
//!
//! - `entries=N,N,…`: manifest entries, ascending (1000,10000,100000,1000000,10000000)
//! - `json=FILE`: writes everything that was found
//! - `hold`: says where the database is and keeps it until standard input ends, to look at plans
//!
//! An image has four entries, two manifests, two claims, four edges, an original and three variants. 10,000,000 entries
//! take 13 GB in the temporary folder and some minutes to write. Each size is that of the whole store; calls then
//! ask about images at random, and at last new ones are claimed and published in batches of 64 by two workers. Indexes
//! are as after a restore (without gaps) and statistics are fresh. Client and server share this machine.
//!
//! Without `--bench` (as `cargo test --benches` runs it) a small store shows that it works.

mod calls;
mod cpu;
mod fill;
mod image;
mod load;
mod settings;

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use manifest_store::{Catalogue, PostgresStore};
use serde_json::{Value, json};
use testkit::PostgresServer;

use crate::calls::{Measured, Subject};
use crate::fill::{ENTRIES, RESERVED};
use crate::load::Load;

/// How long each call is repeated.
const ENOUGH: Duration = Duration::from_secs(2);

const USUAL: [usize; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// A publication of normalize has this many entries.
const PUBLISHED_ENTRIES: usize = 3;

struct Settings {
    entries: Vec<usize>,
    enough: Duration,
    json: Option<PathBuf>,
    hold: bool,
}

/// All that was found about one size.
struct Size {
    entries: usize,
    bytes: i64,
    calls: Vec<Measured>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let settings = Settings::read(&arguments)?;
    let server = PostgresServer::start().await?;
    let database = server.url(&server.address());
    let store = PostgresStore::connect(&database, 8).await?;
    store.ensure_dataset(&image::dataset()).await?;
    fill::reserve(&database).await?;
    let server_settings = settings::shown(&database).await?;
    writeln!(std::io::stdout(), "{server_settings}")?;
    let sizes = grow(&database, &store, &settings).await?;
    print_all(&sizes)?;
    if settings.hold {
        writeln!(std::io::stdout(), "\n{database}")?;
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    }
    let Some(file) = settings.json else { return Ok(()) };
    let document = json!({ "server": server_settings, "sizes": document(&sizes) });
    std::fs::write(&file, serde_json::to_string_pretty(&document)?)
        .with_context(|| file.display().to_string())
}

/// Each size is measured in the store that was left by the one before.
async fn grow(database: &str, store: &PostgresStore, settings: &Settings) -> anyhow::Result<Vec<Size>> {
    let (mut filled, mut published, mut sizes) = (0, 0, Vec::new());
    for entries in settings.entries.iter().copied() {
        let last = entries.saturating_sub(PUBLISHED_ENTRIES * published) / ENTRIES;
        ensure!(last > filled, "{entries} entries are too few after what was published before");
        fill::images(database, filled, last).await?;
        filled = last;
        let bytes = fill::bytes(database).await?;
        let mut calls = Subject { store, images: filled, enough: settings.enough }.measure().await?;
        let (first, objects) = (RESERVED + published, filled.clamp(2_048, 16_384));
        calls.push(calls::publish(store, Load { first, objects, batch: 64, workers: 2 }).await?);
        published += objects;
        let size = Size { entries, bytes, calls };
        print(&size)?;
        sizes.push(size);
    }
    Ok(sizes)
}

impl Settings {
    fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let measured = arguments.iter().any(|argument| argument == "--bench");
        let (entries, enough) =
            if measured { (USUAL.to_vec(), ENOUGH) } else { (vec![USUAL[0]], Duration::ZERO) };
        let mut settings = Self { entries, enough, json: None, hold: false };
        for argument in arguments.iter().filter(|argument| !argument.starts_with("--")) {
            match argument.split_once('=') {
                Some(("entries", sizes)) => {
                    settings.entries = sizes
                        .split(',')
                        .map(str::parse)
                        .collect::<Result<_, _>>()
                        .context("entries=N,N,…")?;
                }
                Some(("json", file)) => settings.json = Some(file.into()),
                None if argument == "hold" => settings.hold = true,
                _ => bail!("there is no {argument}: entries=N,N,…, json=FILE, hold"),
            }
        }
        Ok(settings)
    }
}

fn print(size: &Size) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let each = size.bytes as f64 / size.entries as f64;
    writeln!(out, "\n{} entries, {} MiB, {each:.0} bytes an entry", size.entries, size.bytes >> 20)?;
    writeln!(
        out,
        "{:<44} {:>7} {:>12} {:>12} {:>12}   of a call",
        "", "calls", "wall, ms", "client, ms", "server, ms"
    )?;
    for call in &size.calls {
        let each = |time: Duration| time.as_secs_f64() * 1000.0 / call.calls as f64;
        writeln!(
            out,
            "{:<44} {:>7} {:>12.3} {:>12.3} {:>12.3}",
            call.name,
            call.calls,
            each(call.wall),
            each(call.client),
            each(call.server)
        )?;
    }
    Ok(())
}

/// Calls a second, by size.
fn print_all(sizes: &[Size]) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let heads: String = sizes.iter().map(|size| format!("{:>12}", size.entries)).collect();
    writeln!(out, "\n{:<44}{heads}   entries; calls a second", "")?;
    let names = sizes.first().map_or(&[][..], |size| &size.calls).iter().map(|call| call.name);
    for (place, name) in names.enumerate() {
        let rates: String = sizes.iter().map(|size| format!("{:>12.1}", size.calls[place].rate())).collect();
        writeln!(out, "{name:<44}{rates}")?;
    }
    Ok(())
}

fn document(sizes: &[Size]) -> Vec<Value> {
    let call = |call: &Measured| {
        let [wall, client, server] = [call.wall, call.client, call.server].map(|time| time.as_secs_f64());
        json!({ "name": call.name, "calls": call.calls, "wall_s": wall, "client_cpu_s": client, "server_cpu_s": server })
    };
    let size = |size: &Size| {
        let calls: Vec<_> = size.calls.iter().map(call).collect();
        json!({ "entries": size.entries, "bytes": size.bytes, "calls": calls })
    };
    sizes.iter().map(size).collect()
}
