//! Where samples lie in a shard, and the index files that say so.

use std::fmt::Write as _;

use crate::ShardError;

/// The USTAR header before each member's data.
const HEADER: u64 = 512;

/// Everything about a finished shard that a reader or a manifest needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardIndex {
    /// Size of the tar.
    pub bytes: u64,
    /// The samples in the order of the tar.
    pub samples: Vec<SampleSpan>,
    /// Where the zero blocks at the end start.
    pub eof_offset: u64,
}

/// One sample in a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleSpan {
    /// The sample's key: its members' names up to the first dot.
    pub key: String,
    /// Offset of the header of its first member.
    pub offset: u64,
    /// Its members in the order of the tar.
    pub members: Vec<MemberSpan>,
}

impl SampleSpan {
    /// The member with this extension.
    pub fn member(&self, extension: &str) -> Option<&MemberSpan> {
        self.members.iter().find(|member| member.extension == extension)
    }
}

/// One member of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSpan {
    /// Everything after the first dot of its name.
    pub extension: String,
    /// Offset of the data.
    pub offset: u64,
    /// Size of the data.
    pub size: u64,
}

impl ShardIndex {
    /// `X.idx`: NVIDIA DALI's index v1.2, byte for byte what its `wds2idx` makes of the tar.
    ///
    /// A line `v1.2 <samples>`, then per sample `extension offset size name` for each member.
    pub fn dali_index(&self) -> String {
        let mut text = format!("v1.2 {}\n", self.samples.len());
        for SampleSpan { key, members, .. } in &self.samples {
            for (n, MemberSpan { extension, offset, size }) in members.iter().enumerate() {
                let space = if n == 0 { "" } else { " " };
                write!(text, "{space}{extension} {offset} {size} {key}.{extension}")
                    .expect("writing to a String does not fail");
            }
            text.push('\n');
        }
        text
    }

    /// `X.tar.idx`: Megatron Energon's index, byte for byte what `energon prepare` makes of the tar.
    ///
    /// Little-endian u64: the offset of each sample, then the offset of the end of the archive.
    pub fn energon_index(&self) -> Vec<u8> {
        let offsets = self.samples.iter().map(|sample| sample.offset).chain([self.eof_offset]);
        offsets.flat_map(u64::to_le_bytes).collect()
    }
}

/// Reads an `X.idx` as [`ShardIndex::dali_index`] writes it, so that sample offsets are known without the tar.
///
/// # Errors
/// [`ShardError::InvalidIndex`] for anything else, versions other than 1.2 included.
pub fn parse_dali_index(text: &str) -> Result<Vec<SampleSpan>, ShardError> {
    let mut lines = text.lines();
    let invalid = |line, problem| ShardError::InvalidIndex { line, problem };
    let count: usize = lines
        .next()
        .and_then(|line| line.strip_prefix("v1.2 "))
        .and_then(|count| count.parse().ok())
        .ok_or_else(|| invalid(1, "expected v1.2 and a count"))?;
    let samples = lines
        .enumerate()
        .map(|(n, line)| parse_sample(line).map_err(|problem| invalid(n + 2, problem)))
        .collect::<Result<Vec<_>, _>>()?;
    if samples.len() == count { Ok(samples) } else { Err(invalid(1, "the count is not that of the lines")) }
}

fn parse_sample(line: &str) -> Result<SampleSpan, &'static str> {
    let fields: Vec<&str> = line.split(' ').collect();
    let mut sample: Option<SampleSpan> = None;
    for member in fields.chunks(4) {
        let &[extension, offset, size, name] = member else { return Err("a member has four fields") };
        let (Ok(offset), Ok(size)) = (offset.parse::<u64>(), size.parse::<u64>()) else {
            return Err("an offset or a size is not a number");
        };
        let (key, rest) = name.split_once('.').ok_or("a name has no extension")?;
        if rest != extension {
            return Err("a name does not end in its extension");
        }
        let header = offset.checked_sub(HEADER).ok_or("an offset leaves no room for the header")?;
        let sample =
            sample.get_or_insert_with(|| SampleSpan { key: key.to_owned(), offset: header, members: vec![] });
        if sample.key != key {
            return Err("a line mixes samples");
        }
        sample.members.push(MemberSpan { extension: extension.to_owned(), offset, size });
    }
    sample.ok_or("a line is empty")
}
