//! Prometheus' text format 0.0.4, read strictly: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};

/// One answer of `/metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scrape {
    /// By name of the family.
    pub families: BTreeMap<String, Family>,
}

/// One metric family.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Family {
    /// `counter`, `gauge`, `histogram`, ….
    pub kind: String,
    /// What it says of itself.
    pub help: String,
    /// Its samples, in the order of the text.
    pub samples: Vec<Sample>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The family's name, with `_bucket`, `_sum` or `_count` in histograms.
    pub name: String,
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl Scrape {
    /// Parses an answer.
    ///
    /// # Errors
    /// The first line that breaks the format.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        ensure!(text.is_empty() || text.ends_with('\n'), "the last line has no end");
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            parse_line(line, &mut families).with_context(|| format!("in the line {line:?}"))?;
        }
        Ok(Self { families })
    }

    /// The value of the one sample with this name that has these labels among its own; 0 when there is none.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let samples = self.families.values().flat_map(|family| &family.samples);
        let fits = |sample: &&Sample| {
            let has = |(label, value): &(&str, &str)| sample.labels.get(*label).is_some_and(|v| v == value);
            sample.name == name && labels.iter().all(has)
        };
        samples.filter(fits).map(|sample| sample.value).sum()
    }
}

fn parse_line(line: &str, families: &mut BTreeMap<String, Family>) -> anyhow::Result<()> {
    if let Some(rest) = line.strip_prefix("# HELP ") {
        let (name, help) = rest.split_once(' ').context("HELP without a text")?;
        families.entry(name.to_owned()).or_default().help = help.to_owned();
        return Ok(());
    }
    if let Some(rest) = line.strip_prefix("# TYPE ") {
        let (name, kind) = rest.split_once(' ').context("TYPE without a type")?;
        let family = families.entry(name.to_owned()).or_default();
        ensure!(family.kind.is_empty() && family.samples.is_empty(), "TYPE comes once, before the samples");
        family.kind = kind.to_owned();
        return Ok(());
    }
    ensure!(!line.starts_with('#'), "a comment that is neither HELP nor TYPE");
    let sample = parse_sample(line)?;
    let family = family_of(&sample.name, families)?;
    ensure!(!family.kind.is_empty(), "a sample before its TYPE");
    let twin = family.samples.iter().any(|s| s.name == sample.name && s.labels == sample.labels);
    ensure!(!twin, "the same sample twice");
    family.samples.push(sample);
    Ok(())
}

fn family_of<'a>(sample: &str, families: &'a mut BTreeMap<String, Family>) -> anyhow::Result<&'a mut Family> {
    let stems = ["_bucket", "_sum", "_count"].map(|suffix| sample.strip_suffix(suffix));
    let names = [Some(sample)].into_iter().chain(stems).flatten();
    let name =
        names.into_iter().find(|name| families.contains_key(*name)).context("a sample without a family")?;
    families.get_mut(name).context("a sample without a family")
}

fn parse_sample(line: &str) -> anyhow::Result<Sample> {
    let name_end = line.find(['{', ' ']).context("no value")?;
    let (name, rest) = line.split_at(name_end);
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    ensure!(name.chars().all(legal) && !name.is_empty(), "{name:?} is not a metric name");
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => parse_labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = match value.trim() {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        value => value.parse().with_context(|| format!("{value:?} is not a number"))?,
    };
    Ok(Sample { name: name.to_owned(), labels, value })
}

/// After the opening brace: the labels, and what follows the closing one.
fn parse_labels(mut rest: &str) -> anyhow::Result<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, quoted) = rest.split_once("=\"").context("a label without a value")?;
        let (value, after) = unquote(quoted)?;
        ensure!(labels.insert(name.to_owned(), value).is_none(), "the label {name} twice");
        rest = after.strip_prefix(',').unwrap_or(after);
    }
}

fn unquote(text: &str) -> anyhow::Result<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok((value, chars.as_str())),
            '\\' => value.push(match chars.next() {
                Some('n') => '\n',
                Some(c @ ('"' | '\\')) => c,
                escaped => bail!("the escape \\{escaped:?}"),
            }),
            c => value.push(c),
        }
    }
    bail!("a label value without an end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn example_of_the_format_is_read() -> anyhow::Result<()> {
        // From the format's own page, without time stamps, which we never write.
        let scrape = Scrape::parse(
            "# HELP http_requests_total The total number of HTTP requests.\n\
             # TYPE http_requests_total counter\n\
             http_requests_total{method=\"post\",code=\"200\"} 1027\n\
             http_requests_total{method=\"post\",code=\"400\"} 3\n\
             # HELP d A histogram.\n\
             # TYPE d histogram\n\
             d_bucket{le=\"0.05\"} 24054\n\
             d_bucket{le=\"+Inf\"} 144320\n\
             d_sum 53423\n\
             d_count 144320\n",
        )?;
        assert_eq!(scrape.value("http_requests_total", &[("code", "400")]), 3.0);
        assert_eq!(scrape.value("http_requests_total", &[("method", "post")]), 1030.0);
        let histogram = scrape.families.get("d").context("d")?;
        assert_eq!((histogram.kind.as_str(), histogram.samples.len()), ("histogram", 4));
        Ok(())
    }

    #[test]
    fn broken_lines_are_refused() {
        for bad in ["a 1\n", "# TYPE a gauge\na\n", "# TYPE a gauge\na x\n", "# TYPE a gauge\na{b=\"c} 1\n"] {
            assert!(Scrape::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Scrape::parse("# TYPE a gauge\na 1\na 2\n").is_err(), "the same sample twice");
    }
}
