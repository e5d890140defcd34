//! The tar writer.
//!
//! USTAR, uncompressed, as all loaders read it: members of a sample adjacent, extensions sorted, mtime, uid
//! and gid 0, mode 0644, empty owner names, names in the 100-byte field alone (wids reads no other), two zero
//! blocks at the end. See docs of WebDataset and IEEE Std 1003.1 (pax, "ustar Interchange Format").

mod gathered;

use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufRead, Write};

use self::gathered::Gathered;
use crate::{MemberSpan, SampleSpan, ShardError, ShardIndex};

const BLOCK: u64 = 512;
/// The two zero blocks that end an archive.
pub const TAR_EOF_BYTES: u64 = 2 * BLOCK;
/// Eleven octal digits.
const MAX_MEMBER: u64 = 0o77_777_777_777;
/// The USTAR name field, which need not end in NUL.
const MAX_NAME: usize = 100;

/// Bytes that a sample with members of these sizes takes in a tar: headers and padding included, the end of
/// the archive ([`TAR_EOF_BYTES`], once) not.
pub fn tar_footprint(member_sizes: impl IntoIterator<Item = u64>) -> u64 {
    member_sizes.into_iter().map(|size| BLOCK + size.next_multiple_of(BLOCK)).sum()
}

/// A member to append: `<key>.<extension>` with `size` bytes from `data`.
pub struct Member<'a> {
    /// Everything after the first dot of the member's name, lowercase.
    pub extension: &'a str,
    /// Exactly as many bytes as `data` gives.
    pub size: u64,
    /// The content, for example a staged file.
    pub data: &'a mut dyn BufRead,
}

impl fmt::Debug for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("extension", &self.extension)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Writes one shard, sample by sample. A shard not finished is not a shard. Digests are for those who read it: the upload
/// takes one on its way.
#[derive(Debug)]
pub struct ShardWriter<W> {
    out: Gathered<W>,
    samples: Vec<SampleSpan>,
    keys: HashSet<String>,
    broken: bool,
}

impl<W: Write> ShardWriter<W> {
    /// A shard that is written to `out`, which needs no buffer: small pieces come together, large ones as they are.
    pub fn new(out: W) -> Self {
        Self { out: Gathered::new(out), samples: Vec::new(), keys: HashSet::new(), broken: false }
    }

    /// Appends a sample whose members are in memory, as (extension, content).
    ///
    /// # Errors
    /// As [`Self::append_members`].
    pub fn append(&mut self, key: &str, members: &[(&str, &[u8])]) -> Result<(), ShardError> {
        let mut contents: Vec<&[u8]> = members.iter().map(|(_, content)| *content).collect();
        let members = members.iter().zip(&mut contents).map(|((extension, content), data)| Member {
            extension,
            size: content.len() as u64,
            data,
        });
        self.append_members(key, members.collect())
    }

    /// Appends a sample whose members are read as they are written.
    ///
    /// # Errors
    /// Names that a loader would misread are refused before anything is written. After a failure of reading
    /// or writing the shard is [`ShardError::Broken`].
    pub fn append_members(&mut self, key: &str, mut members: Vec<Member<'_>>) -> Result<(), ShardError> {
        if self.broken {
            return Err(ShardError::Broken);
        }
        members.sort_by_key(|member| member.extension);
        check(key, &members)?;
        if !self.keys.insert(key.to_owned()) {
            return Err(ShardError::DuplicateKey(key.to_owned()));
        }
        // Until it is whole, whatever fails.
        self.broken = true;
        let offset = self.out.written();
        let spans = members.into_iter().map(|member| self.write_member(key, member));
        let members = spans.collect::<Result<_, _>>()?;
        self.samples.push(SampleSpan { key: key.to_owned(), offset, members });
        self.broken = false;
        Ok(())
    }

    /// Ends the archive and flushes it.
    ///
    /// # Errors
    /// [`ShardError::Broken`] after an earlier failure, else what writing says.
    pub fn finish(mut self) -> Result<(W, ShardIndex), ShardError> {
        if self.broken {
            return Err(ShardError::Broken);
        }
        let eof_offset = self.out.written();
        self.out.write_all(&[0; TAR_EOF_BYTES as usize])?;
        let bytes = self.out.written();
        let inner = self.out.finish()?;
        Ok((inner, ShardIndex { bytes, samples: self.samples, eof_offset }))
    }

    fn write_member(&mut self, key: &str, member: Member<'_>) -> Result<MemberSpan, ShardError> {
        let Member { extension, size, data } = member;
        let name = format!("{key}.{extension}");
        self.out.write_all(header(&name, size)?.as_bytes())?;
        let offset = self.out.written();
        if !copy_exactly(size, data, &mut self.out)? {
            return Err(ShardError::WrongSize { name, size });
        }
        let padding = size.next_multiple_of(BLOCK) - size;
        self.out.write_all(&[0; BLOCK as usize][..padding as usize])?;
        Ok(MemberSpan { extension: extension.to_owned(), offset, size })
    }
}

/// Whether there were just as many bytes. Unlike `io::copy` it has no buffer in between.
fn copy_exactly<W: Write>(size: u64, from: &mut dyn BufRead, to: &mut Gathered<W>) -> io::Result<bool> {
    let mut left = size;
    loop {
        let piece = from.fill_buf()?;
        let length = piece.len();
        if length == 0 || length as u64 > left {
            return Ok(length == 0 && left == 0);
        }
        to.write_all(piece)?;
        from.consume(length);
        left -= length as u64;
    }
}

fn header(name: &str, size: u64) -> Result<tar::Header, ShardError> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    Ok(header)
}

fn check(key: &str, members: &[Member<'_>]) -> Result<(), ShardError> {
    // Every loader splits names at the first dot; a space ends a field of a DALI index.
    let key_byte = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !(1..=64).contains(&key.len()) || !key.bytes().all(key_byte) {
        return Err(ShardError::InvalidKey(key.chars().take(80).collect()));
    }
    if members.is_empty() {
        return Err(ShardError::NoMembers(key.to_owned()));
    }
    for member in members {
        let extension = member.extension;
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if !extension.split('.').all(part) {
            return Err(ShardError::InvalidExtension(extension.chars().take(80).collect()));
        }
        let name = format!("{key}.{extension}");
        if name.len() > MAX_NAME {
            return Err(ShardError::NameTooLong(name));
        }
        if member.size > MAX_MEMBER {
            return Err(ShardError::MemberTooLarge { name, size: member.size });
        }
    }
    match members.windows(2).find(|pair| pair[0].extension == pair[1].extension) {
        None => Ok(()),
        Some(pair) => {
            let (key, extension) = (key.to_owned(), pair[0].extension.to_owned());
            Err(ShardError::DuplicateExtension { key, extension })
        }
    }
}

#[cfg(test)]
mod tests;
