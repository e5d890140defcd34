use std::collections::VecDeque;
use std::io::{Cursor, Read as _};

use proptest::prelude::*;

use super::gathered::COLLECTED;
use super::*;
use crate::parse_dali_index;

type Members<'a> = &'a [(&'a str, &'a [u8])];

fn shard(samples: &[(&str, Members<'_>)]) -> (Vec<u8>, ShardIndex) {
    let mut writer = ShardWriter::new(Vec::new());
    for (key, members) in samples {
        writer.append(key, members).expect("a valid sample");
    }
    writer.finish().expect("a whole shard")
}

/// Two samples: (json 2, jpg 600) and (json 512), given in the wrong order of extensions.
fn tiny() -> (Vec<u8>, ShardIndex) {
    shard(&[("aa", &[("json", b"{}"), ("jpg", &[7; 600])]), ("b-b", &[("json", &[b' '; 512])])])
}

#[test]
fn a_tiny_tar_lies_where_arithmetic_says() {
    let (tar, index) = tiny();
    // jpg: header 0, data 512..1112, padded to 1536. json: header 1536, data 2048, padded to 2560.
    // b-b.json: header 2560, data 3072..3584. Two zero blocks: 3584..4608.
    assert_eq!(tar.len(), 4608);
    assert_eq!((index.bytes, index.eof_offset), (4608, 3584));
    assert_eq!(
        index.dali_index(),
        "v1.2 2\njpg 512 600 aa.jpg json 2048 2 aa.json\njson 3072 512 b-b.json\n"
    );
    let offsets: Vec<u64> =
        index.energon_index().chunks(8).map(|c| u64::from_le_bytes(c.try_into().expect("8"))).collect();
    assert_eq!(offsets, [0, 2560, 3584]);
    assert_eq!(tar_footprint([600, 2]) + tar_footprint([512]) + TAR_EOF_BYTES, 4608);
}

#[test]
fn headers_are_plain_ustar() {
    let (tar, _) = tiny();
    // IEEE Std 1003.1, ustar: name[100] mode[8] uid[8] gid[8] size[12] mtime[12] chksum[8] typeflag[1]
    // linkname[100] magic[6] version[2] uname[32] gname[32] devmajor[8] devminor[8] prefix[155].
    let text = |range: std::ops::Range<usize>| {
        String::from_utf8_lossy(&tar[range]).trim_matches(['\0', ' ']).to_owned()
    };
    assert_eq!(text(0..100), "aa.jpg");
    assert_eq!(u32::from_str_radix(&text(100..108), 8), Ok(0o644));
    for id in [108..116, 116..124, 136..148] {
        assert_eq!(u32::from_str_radix(&text(id), 8), Ok(0));
    }
    assert_eq!(u32::from_str_radix(&text(124..136), 8), Ok(600));
    assert_eq!(&tar[156..157], b"0");
    assert_eq!(&tar[257..265], b"ustar\x0000");
    assert_eq!((text(265..297), text(297..329), text(345..500)), Default::default());
    // The checksum is the sum of the header's bytes with its own field as spaces.
    let sum: u32 = (0..512).map(|n| if (148..156).contains(&n) { 32 } else { u32::from(tar[n]) }).sum();
    assert_eq!(u32::from_str_radix(&text(148..156), 8), Ok(sum));
}

/// Takes so many bytes.
struct Full {
    room: usize,
}

impl Write for Full {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if data.len() > self.room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room -= data.len();
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failed_write_breaks_the_shard() {
    let mut writer = ShardWriter::new(Full { room: 3 * COLLECTED });
    writer.append("small", &[("bin", &[1; COLLECTED])]).expect("there is room");
    let error = writer.append("large", &[("bin", &[2; 4 * COLLECTED])]).expect_err("no room");
    assert!(matches!(error, ShardError::Io(_)), "{error}");
    assert!(matches!(writer.append("other", &[("bin", b"x")]), Err(ShardError::Broken)));
    assert!(matches!(writer.finish(), Err(ShardError::Broken)));
}

#[test]
fn names_that_a_loader_would_misread_are_refused_and_harm_nothing() {
    let mut writer = ShardWriter::new(Vec::new());
    let long = "k".repeat(65);
    for key in ["", "a.b", "a b", "a/b", "ä", &long] {
        let error = writer.append(key, &[("jpg", b"x")]).expect_err(key);
        assert!(matches!(error, ShardError::InvalidKey(_)), "{error}");
    }
    let long = "e".repeat(60);
    for extension in ["", "JPG", ".jpg", "jpg.", "a..b", "a b", "a/b"] {
        let error = writer.append("key", &[(extension, b"x")]).expect_err(extension);
        assert!(matches!(error, ShardError::InvalidExtension(_)), "{error}");
    }
    let error = writer.append(&"k".repeat(60), &[(&long, b"x")]).expect_err("121 bytes");
    assert!(matches!(error, ShardError::NameTooLong(_)), "{error}");
    let error = writer.append("key", &[]).expect_err("no members");
    assert!(matches!(error, ShardError::NoMembers(_)), "{error}");
    let error = writer.append("key", &[("jpg", b"x"), ("jpg", b"y")]).expect_err("twice");
    assert!(matches!(error, ShardError::DuplicateExtension { .. }), "{error}");
    writer.append("key", &[("mask.png", b"x")]).expect("nothing refused so far was written");
    let error = writer.append("key", &[("jpg", b"x")]).expect_err("the key again");
    assert!(matches!(error, ShardError::DuplicateKey(_)), "{error}");
    let (tar, index) = writer.finish().expect("a whole shard");
    assert_eq!((tar.len(), index.samples.len()), (1024 + 1024, 1));
}

#[test]
fn a_member_that_is_not_as_long_as_announced_breaks_the_shard() {
    for (announced, actual) in [(10, 9), (10, 11)] {
        let mut writer = ShardWriter::new(Vec::new());
        let mut data = Cursor::new(vec![0; actual]);
        let member = Member { extension: "jpg", size: announced, data: &mut data };
        let error = writer.append_members("key", vec![member]).expect_err("the wrong size");
        assert!(matches!(error, ShardError::WrongSize { .. }), "{error}");
        assert!(matches!(writer.append("other", &[("jpg", b"x")]), Err(ShardError::Broken)));
        assert!(matches!(writer.finish(), Err(ShardError::Broken)));
    }
}

#[test]
fn indexes_that_are_not_ours_are_refused() {
    for bad in [
        "",
        "v1.1 0\n",
        "v1.2 x\n",
        "v1.2 2\njpg 512 1 a.jpg\n",
        "v1.2 1\njpg 512 1\n",
        "v1.2 1\njpg 511 1 a.jpg\n",
        "v1.2 1\njpg 512 -1 a.jpg\n",
        "v1.2 1\njpg 512 1 a.png\n",
        "v1.2 1\njpg 512 1 ajpg\n",
        "v1.2 1\njpg 512 1 a.jpg json 1536 1 b.json\n",
        "v1.2 1\n\n",
    ] {
        assert!(matches!(parse_dali_index(bad), Err(ShardError::InvalidIndex { .. })), "{bad:?}");
    }
}

fn samples() -> impl Strategy<Value = Vec<Vec<(&'static str, Vec<u8>)>>> {
    let content = || prop::collection::vec(any::<u8>(), 0..1_200);
    let sample = (content(), content(), any::<bool>()).prop_map(|(json, jpg, labelled)| {
        let mut members = vec![("json", json), ("jpg", jpg)];
        if labelled {
            members.push(("cls", b"3".to_vec()));
        }
        members
    });
    prop::collection::vec(sample, 0..12)
}

fn write(samples: &[Vec<(&'static str, Vec<u8>)>]) -> (Vec<u8>, ShardIndex) {
    let mut writer = ShardWriter::new(Vec::new());
    for (n, sample) in samples.iter().enumerate() {
        let members: Vec<_> = sample.iter().map(|(e, content)| (*e, content.as_slice())).collect();
        writer.append(&format!("{n:032x}"), &members).expect("a valid sample");
    }
    writer.finish().expect("a whole shard")
}

/// Takes at each call no more than the next of these numbers, 0 being an interruption; then all.
struct Hesitant {
    takes: VecDeque<usize>,
    taken: Vec<u8>,
}

impl Write for Hesitant {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let length = match self.takes.pop_front() {
            Some(0) => return Err(io::ErrorKind::Interrupted.into()),
            Some(most) => data.len().min(most),
            None => data.len(),
        };
        self.taken.extend_from_slice(&data[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

proptest! {
    #[test]
    fn pieces_of_every_size_arrive_in_order(
        lengths in prop::collection::vec(prop_oneof![0usize..600, 10_000usize..70_000], 0..60),
        takes in prop::collection::vec(0usize..40_000, 0..20),
    ) {
        let mut out = Gathered::new(Hesitant { takes: takes.into(), taken: Vec::new() });
        let mut expected = Vec::new();
        for (number, length) in lengths.into_iter().enumerate() {
            let piece = vec![number as u8; length];
            out.write_all(&piece).expect("everything is taken");
            expected.extend(piece);
            prop_assert_eq!(out.written(), expected.len() as u64);
        }
        let taken = out.finish().expect("everything is taken").taken;
        prop_assert!(taken == expected);
    }

    #[test]
    fn another_reader_finds_every_member_where_the_index_says(samples in samples()) {
        let (bytes, index) = write(&samples);
        prop_assert_eq!(index.samples.len(), samples.len());
        let spans = index.samples.iter().flat_map(|sample| {
            sample.members.iter().map(|member| (format!("{}.{}", sample.key, member.extension), member))
        });
        let mut spans = spans.collect::<Vec<_>>().into_iter();
        let mut archive = tar::Archive::new(bytes.as_slice());
        for entry in archive.entries().expect("a tar") {
            let mut entry = entry.expect("an entry");
            let (name, span) = spans.next().expect("as many spans as entries");
            prop_assert_eq!(&*entry.path_bytes(), name.as_bytes());
            prop_assert_eq!((entry.raw_file_position(), entry.size()), (span.offset, span.size));
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("readable");
            let (key, extension) = name.split_once('.').expect("a dot");
            let n = usize::from_str_radix(key, 16).expect("a number");
            let original = samples[n].iter().find(|(e, _)| *e == extension).expect("the member");
            prop_assert_eq!(&content, &original.1);
        }
        prop_assert!(spans.next().is_none());
    }

    #[test]
    fn the_text_index_carries_every_span_and_sizes_add_up(samples in samples()) {
        let (bytes, index) = write(&samples);
        prop_assert_eq!(&parse_dali_index(&index.dali_index()).expect("our own"), &index.samples);
        let footprint: u64 =
            samples.iter().map(|sample| tar_footprint(sample.iter().map(|(_, c)| c.len() as u64))).sum();
        prop_assert_eq!(footprint + TAR_EOF_BYTES, bytes.len() as u64);
        prop_assert_eq!(write(&samples).0, bytes);
    }
}
