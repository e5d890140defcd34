//! A bounds-checked walk over a JPEG's marker segments (ITU T.81, annex B), before any decoder sees them.

use std::ops::Range;

use crate::error::within;
use crate::{ImageError, Limits};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;
const APP15: u8 = 0xef;
const COM: u8 = 0xfe;

const EXIF: &[u8] = b"Exif\0\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENDED_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";

/// A JFIF segment, version 1.01, and an Adobe segment up to its transform code.
const PLAIN_JFIF: &[u8] = b"\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
const PLAIN_ADOBE: &[u8] = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0";

/// The frame header (SOF).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) progressive: bool,
    /// Lossless files have no blocks to reduce.
    pub(crate) lossless: bool,
    /// Horizontal and vertical sampling factors, each 1 to 4.
    pub(crate) components: Vec<(u8, u8)>,
}

impl Frame {
    /// Bytes of the 16-bit coefficients of the whole picture, and of what is noted of each block, which multi-scan
    /// files make decoders keep.
    pub(crate) fn coefficient_bytes(&self) -> u64 {
        let max = |pick: fn(&(u8, u8)) -> u8| self.components.iter().map(pick).max().unwrap_or(1);
        let (max_h, max_v) = (max(|c| c.0), max(|c| c.1));
        let mcus = u64::from(self.width.div_ceil(8 * u32::from(max_h)))
            * u64::from(self.height.div_ceil(8 * u32::from(max_v)));
        self.components.iter().map(|(h, v)| mcus * u64::from(*h) * u64::from(*v) * (64 * 2 + 10)).sum()
    }
}

/// What the markers tell.
#[derive(Debug)]
pub(crate) struct Markers<'a> {
    pub(crate) frame: Frame,
    pub(crate) scans: u32,
    /// The first EXIF segment, without its `Exif\0\0`.
    pub(crate) exif: Option<&'a [u8]>,
    /// The ICC profile, if its chunks are complete.
    pub(crate) icc: Option<Vec<u8>>,
    jfif: bool,
    /// The Adobe segment's colour transform code.
    adobe: Option<u8>,
    /// What the decoder needs: tables, frame and scan headers with their coded data.
    kept: Vec<Range<usize>>,
}

impl<'a> Markers<'a> {
    /// Walks from the start mark to the end mark of the first image; what follows is not looked at.
    pub(crate) fn scan(data: &'a [u8], limits: &Limits) -> Result<Self, ImageError> {
        let mut walk = Walk::new(data, limits);
        while walk.step()? {}
        walk.finish()
    }

    /// The image without metadata, padding between segments and bytes after it. JFIF and Adobe segments, which
    /// decide about colours, are replaced by plain ones, because libjpeg warns of odd versions and codes.
    pub(crate) fn cleaned(&self, data: &[u8]) -> Vec<u8> {
        let body: usize = self.kept.iter().map(ExactSizeIterator::len).sum();
        let mut cleaned = Vec::with_capacity(body + 64);
        cleaned.extend([0xff, SOI]);
        if self.jfif {
            cleaned.extend(PLAIN_JFIF);
        }
        if let Some(transform) = self.adobe {
            // An unknown code means what libjpeg takes it for: YCbCr, or YCCK with four components.
            let known =
                if transform <= 2 { transform } else { 1 + u8::from(self.frame.components.len() == 4) };
            cleaned.extend(PLAIN_ADOBE);
            cleaned.push(known);
        }
        for range in &self.kept {
            cleaned.extend(&data[range.clone()]);
        }
        cleaned.extend([0xff, EOI]);
        cleaned
    }
}

/// The walk's state.
struct Walk<'a, 'l> {
    data: &'a [u8],
    limits: &'l Limits,
    position: usize,
    segments: u32,
    frame: Option<Frame>,
    scans: u32,
    exif: Option<&'a [u8]>,
    icc: IccChunks<'a>,
    metadata_bytes: [u64; 3],
    jfif: bool,
    adobe: Option<u8>,
    kept: Vec<Range<usize>>,
}

impl<'a, 'l> Walk<'a, 'l> {
    fn new(data: &'a [u8], limits: &'l Limits) -> Self {
        Self {
            data,
            limits,
            position: 2,
            segments: 0,
            frame: None,
            scans: 0,
            exif: None,
            icc: IccChunks::default(),
            metadata_bytes: [0; 3],
            jfif: false,
            adobe: None,
            kept: Vec::new(),
        }
    }

    /// Takes one segment; `false` after the end mark.
    fn step(&mut self) -> Result<bool, ImageError> {
        let marker = self.next_marker()?;
        match marker {
            EOI => return Ok(false),
            SOI => return Err(corrupt("a second start of image")),
            0x01 | 0xd0..=0xd7 => return Ok(true), // TEM and RST have no content.
            _ => {}
        }
        self.segments += 1;
        within("number of marker segments", u64::from(self.segments), u64::from(self.limits.max_markers))?;
        let start = self.position - 2;
        let content = self.content()?;
        match marker {
            APP0 => self.jfif |= content.starts_with(b"JFIF\0"),
            APP1 => self.app1(content)?,
            APP2 => self.app2(content)?,
            APP14 if self.adobe.is_none() && content.starts_with(b"Adobe") => {
                self.adobe = content.get(11).copied();
            }
            0xe3..=APP15 | COM => {}
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                self.start_frame(marker, content)?;
                self.keep_from(start);
            }
            SOS => {
                self.start_scan()?;
                self.keep_from(start);
            }
            _ => self.keep_from(start),
        }
        Ok(true)
    }

    /// The next marker code. Whatever lies before it is passed over, as libjpeg does: between segments there is
    /// no picture to lose, and if a table was lost there, decoding fails.
    fn next_marker(&mut self) -> Result<u8, ImageError> {
        loop {
            let rest = self.data.get(self.position..).unwrap_or_default();
            let found = memchr::memchr(0xff, rest).ok_or_else(truncated)?;
            match rest.get(found + 1).ok_or_else(truncated)? {
                0xff => self.position += found + 1,
                0 => self.position += found + 2,
                marker => {
                    self.position += found + 2;
                    return Ok(*marker);
                }
            }
        }
    }

    /// The content of the segment at the position, which moves behind it.
    fn content(&mut self) -> Result<&'a [u8], ImageError> {
        let length = usize::from(u16::from_be_bytes([self.byte(0)?, self.byte(1)?]));
        if length < 2 {
            return Err(corrupt("a segment shorter than its own length field"));
        }
        let range = self.position + 2..self.position + length;
        self.position = range.end;
        self.data.get(range).ok_or_else(truncated)
    }

    fn byte(&self, ahead: usize) -> Result<u8, ImageError> {
        self.data.get(self.position + ahead).copied().ok_or_else(truncated)
    }

    fn keep_from(&mut self, start: usize) {
        self.kept.push(start..self.position);
    }

    fn app1(&mut self, content: &'a [u8]) -> Result<(), ImageError> {
        if let Some(exif) = content.strip_prefix(EXIF) {
            self.count_metadata(0, exif.len())?;
            self.exif.get_or_insert(exif);
        } else if content.starts_with(XMP) || content.starts_with(EXTENDED_XMP) {
            self.count_metadata(1, content.len())?;
        }
        Ok(())
    }

    fn app2(&mut self, content: &'a [u8]) -> Result<(), ImageError> {
        if let Some([number, total, chunk @ ..]) = content.strip_prefix(ICC) {
            self.count_metadata(2, chunk.len())?;
            self.icc.add(*number, *total, chunk);
        }
        Ok(())
    }

    fn count_metadata(&mut self, kind: usize, bytes: usize) -> Result<(), ImageError> {
        self.metadata_bytes[kind] += bytes as u64;
        within("metadata in bytes", self.metadata_bytes[kind], self.limits.max_metadata_bytes)
    }

    fn start_frame(&mut self, marker: u8, content: &[u8]) -> Result<(), ImageError> {
        if self.frame.is_some() {
            return Err(corrupt("a second frame header"));
        }
        let [precision, h1, h0, w1, w0, count, components @ ..] = content else {
            return Err(corrupt("a frame header that is too short"));
        };
        if matches!(marker, 0xc5..=0xc7 | 0xcb | 0xcd..=0xcf) {
            return Err(ImageError::Unsupported("hierarchical or lossless arithmetic JPEG".to_owned()));
        }
        if *precision != 8 {
            return Err(ImageError::Unsupported(format!("JPEG with {precision} bits a sample")));
        }
        let height = u32::from(u16::from_be_bytes([*h1, *h0]));
        if height == 0 {
            return Err(ImageError::Unsupported("JPEG that tells its height only after the scan".to_owned()));
        }
        let (components, rest) = components.as_chunks::<3>();
        if components.len() != usize::from(*count) || !rest.is_empty() {
            return Err(corrupt("a frame header of the wrong length"));
        }
        let components: Vec<_> = components.iter().map(|[_, hv, _]| (hv >> 4, hv & 15)).collect();
        if components.iter().any(|(h, v)| !(1..=4).contains(h) || !(1..=4).contains(v)) {
            return Err(corrupt("a sampling factor that is not from 1 to 4"));
        }
        self.frame = Some(Frame {
            width: u32::from(u16::from_be_bytes([*w1, *w0])),
            height,
            progressive: matches!(marker, 0xc2 | 0xca),
            lossless: marker == 0xc3,
            components,
        });
        Ok(())
    }

    /// Counts a scan and moves behind its coded data, to the next marker other than a restart.
    fn start_scan(&mut self) -> Result<(), ImageError> {
        if self.frame.is_none() {
            return Err(corrupt("a scan before the frame header"));
        }
        self.scans += 1;
        within("number of scans", u64::from(self.scans), u64::from(self.limits.max_scans))?;
        loop {
            let coded = self.data.get(self.position..).unwrap_or_default();
            let found = memchr::memchr(0xff, coded).ok_or_else(truncated)?;
            match coded.get(found + 1).ok_or_else(truncated)? {
                0 | 0xd0..=0xd7 => self.position += found + 2,
                0xff => self.position += found + 1,
                _ => {
                    self.position += found;
                    return Ok(());
                }
            }
        }
    }

    fn finish(self) -> Result<Markers<'a>, ImageError> {
        let frame = self.frame.ok_or_else(|| corrupt("no frame header"))?;
        if self.scans == 0 {
            return Err(corrupt("no scan"));
        }
        Ok(Markers {
            frame,
            scans: self.scans,
            exif: self.exif,
            icc: self.icc.join(),
            jfif: self.jfif,
            adobe: self.adobe,
            kept: self.kept,
        })
    }
}

/// The chunks of an ICC profile (ICC.1:2010, B.4), in whatever order they come.
#[derive(Default)]
struct IccChunks<'a> {
    chunks: Vec<(u8, &'a [u8])>,
    total: Option<u8>,
    broken: bool,
}

impl<'a> IccChunks<'a> {
    fn add(&mut self, number: u8, total: u8, chunk: &'a [u8]) {
        self.broken |= *self.total.get_or_insert(total) != total;
        if self.chunks.len() < 255 {
            self.chunks.push((number, chunk));
        }
    }

    /// The profile, if every chunk is there once.
    fn join(mut self) -> Option<Vec<u8>> {
        self.chunks.sort_by_key(|(number, _)| *number);
        let complete = self.chunks.iter().map(|(number, _)| *number).eq(1..=self.total?);
        (complete && !self.broken)
            .then(|| self.chunks.into_iter().flat_map(|(_, chunk)| chunk).copied().collect())
    }
}

fn corrupt(what: &str) -> ImageError {
    ImageError::Corrupt(what.to_owned())
}

fn truncated() -> ImageError {
    ImageError::Truncated("the data ends before the end-of-image mark".to_owned())
}
