//! Marker segments (ITU T.81, annex B), as far as regular files need them.

use crate::Irregular;
use crate::blocks::ZIGZAG;
use crate::entropy::huffman::Specification;
use crate::transform::Steps;

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;

/// A component of the frame header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Component {
    id: u8,
    /// Sampling factors, across and down.
    pub(crate) sampling: (usize, usize),
    quantization: usize,
}

/// The frame header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) progressive: bool,
    /// One, or luminance and two of chrominance.
    pub(crate) components: Vec<Component>,
}

/// A component's part in a scan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScanComponent {
    /// Its place in the frame.
    pub(crate) component: usize,
    dc: usize,
    ac: usize,
}

/// A scan header.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub(crate) components: Vec<ScanComponent>,
    /// The first and last coefficient, in zigzag order.
    pub(crate) band: (usize, usize),
    /// The lowest bit that was known before, 0 for none, and that is known after.
    pub(crate) bits: (u32, u32),
}

/// What the segments so far have told.
#[derive(Debug, Default)]
pub(crate) struct Header {
    frame: Option<Frame>,
    /// Row by row.
    quantization: [Option<Steps>; 4],
    dc: [Option<Specification>; 4],
    ac: [Option<Specification>; 4],
    /// MCUs between restart marks, if there are any.
    pub(crate) restart_interval: Option<usize>,
    jfif: bool,
    /// The colour transform of an Adobe segment.
    adobe: Option<u8>,
    scans: usize,
}

/// A place in the file.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Result<Self, Irregular> {
        let rest = data.strip_prefix(&[0xff, SOI]).ok_or(Irregular("no start of image"))?;
        Ok(Self { rest })
    }

    /// The marker that must come next.
    fn marker(&mut self) -> Result<u8, Irregular> {
        let [0xff, marker, rest @ ..] = self.rest else {
            return Err(Irregular("no marker where one must be"));
        };
        self.rest = rest;
        Ok(*marker)
    }

    fn content(&mut self) -> Result<&'a [u8], Irregular> {
        const SHORT: Irregular = Irregular("a segment that ends early");
        let (length, rest) = self.rest.split_first_chunk::<2>().ok_or(SHORT)?;
        let length = usize::from(u16::from_be_bytes(*length)).checked_sub(2).ok_or(SHORT)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(SHORT)?;
        self.rest = rest;
        Ok(content)
    }
}

impl Header {
    /// Reads up to the end of the next scan header, or to the end of the image, for which there is no scan.
    pub(crate) fn next_scan(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Scan>, Irregular> {
        loop {
            let marker = cursor.marker()?;
            if marker == EOI {
                return Ok(None);
            }
            let content = cursor.content()?;
            match marker {
                0xc0..=0xc2 => self.frame(content, marker == 0xc2)?,
                0xc4 => self.huffman(content)?,
                0xda => {
                    self.scans += 1;
                    return self.scan(content).map(Some);
                }
                0xdb if self.scans == 0 => self.quantization(content)?,
                0xdd => {
                    let interval =
                        content.try_into().map_err(|_| Irregular("a restart interval of odd length"))?;
                    let interval = usize::from(u16::from_be_bytes(interval));
                    self.restart_interval = (interval > 0).then_some(interval);
                }
                0xe0 => self.jfif |= content.starts_with(b"JFIF\0"),
                0xee if self.adobe.is_none() && content.starts_with(b"Adobe") => {
                    self.adobe = content.get(11).copied();
                }
                0xe1..=0xef | 0xfe => {}
                _ => return Err(Irregular("a segment that is not read")),
            }
        }
    }

    fn frame(&mut self, content: &[u8], progressive: bool) -> Result<(), Irregular> {
        let [8, h1, h0, w1, w0, count, components @ ..] = content else {
            return Err(Irregular("not 8 bits a sample"));
        };
        let (components, []) = components.as_chunks::<3>() else {
            return Err(Irregular("an odd frame header"));
        };
        let read = |[id, sampling, quantization]: &[u8; 3]| Component {
            id: *id,
            sampling: (usize::from(sampling >> 4), usize::from(sampling & 15)),
            quantization: usize::from(*quantization),
        };
        let mut components: Vec<_> = components.iter().map(read).collect();
        if components.len() != usize::from(*count) || self.frame.is_some() {
            return Err(Irregular("an odd frame header"));
        }
        let possible = |factor: usize| (1..=4).contains(&factor);
        if !components
            .iter()
            .all(|component| possible(component.sampling.0) && possible(component.sampling.1))
        {
            return Err(Irregular("impossible sampling factors"));
        }
        // Those of a component that is alone have no meaning.
        if let [only] = components.as_mut_slice() {
            only.sampling = (1, 1);
        }
        let width = usize::from(u16::from_be_bytes([*w1, *w0]));
        let height = usize::from(u16::from_be_bytes([*h1, *h0]));
        if width == 0 || height == 0 {
            return Err(Irregular("no size"));
        }
        self.frame = Some(Frame { width, height, progressive, components });
        Ok(())
    }

    /// The frame, if its colours are grays or YCbCr by the rules that libjpeg goes by.
    pub(crate) fn checked_frame(&self) -> Result<Frame, Irregular> {
        let frame = self.frame.clone().ok_or(Irregular("no frame header"))?;
        let ids = [1, 2, 3];
        match frame.components.as_slice() {
            [_] => Ok(frame),
            [a, b, c] => match (self.jfif, self.adobe) {
                (true, None | Some(1)) | (false, Some(1)) => Ok(frame),
                (false, None) if [a.id, b.id, c.id] == ids => Ok(frame),
                _ => Err(Irregular("not certainly YCbCr")),
            },
            _ => Err(Irregular("neither one component nor three")),
        }
    }

    /// The quantization table of a component, row by row.
    pub(crate) fn quantization_of(&self, component: &Component) -> Result<Steps, Irregular> {
        let table = self.quantization.get(component.quantization).copied().flatten();
        table.ok_or(Irregular("no quantization table"))
    }

    /// The Huffman table of a component's first coefficients.
    pub(crate) fn dc(&self, part: &ScanComponent) -> Result<&Specification, Irregular> {
        self.dc.get(part.dc).and_then(Option::as_ref).ok_or(Irregular("no Huffman table"))
    }

    /// That of all others.
    pub(crate) fn ac(&self, part: &ScanComponent) -> Result<&Specification, Irregular> {
        self.ac.get(part.ac).and_then(Option::as_ref).ok_or(Irregular("no Huffman table"))
    }

    fn quantization(&mut self, mut content: &[u8]) -> Result<(), Irregular> {
        while let [slot, rest @ ..] = content {
            let table = self
                .quantization
                .get_mut(usize::from(*slot))
                .ok_or(Irregular("an odd quantization table"))?;
            let (values, rest) =
                rest.split_first_chunk::<64>().ok_or(Irregular("an odd quantization table"))?;
            let mut by_row = [0; 64];
            for (place, value) in ZIGZAG.iter().zip(values) {
                by_row[usize::from(*place)] = i16::from(*value);
            }
            *table = Some(by_row);
            content = rest;
        }
        Ok(())
    }

    fn huffman(&mut self, mut content: &[u8]) -> Result<(), Irregular> {
        const ODD: Irregular = Irregular("an odd Huffman table");
        while let [slot, rest @ ..] = content {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(ODD)?;
            let total = counts.iter().map(|count| usize::from(*count)).sum::<usize>();
            if total > 256 {
                return Err(ODD);
            }
            let (symbols, rest) = rest.split_at_checked(total).ok_or(ODD)?;
            let tables = match slot >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(ODD),
            };
            let table = tables.get_mut(usize::from(slot & 15)).ok_or(ODD)?;
            *table = Some(Specification { counts: *counts, symbols: symbols.to_vec() });
            content = rest;
        }
        Ok(())
    }

    fn scan(&self, content: &[u8]) -> Result<Scan, Irregular> {
        const ODD: Irregular = Irregular("an odd scan header");
        let frame = self.frame.as_ref().ok_or(ODD)?;
        let [count, rest @ ..] = content else { return Err(ODD) };
        let (components, [start, end, approximation]) = rest.split_last_chunk::<3>().ok_or(ODD)?;
        let (components, []) = components.as_chunks::<2>() else { return Err(ODD) };
        if components.len() != usize::from(*count) || components.is_empty() {
            return Err(ODD);
        }
        let find = |[id, tables]: &[u8; 2]| {
            let component = frame.components.iter().position(|component| component.id == *id)?;
            Some(ScanComponent { component, dc: usize::from(tables >> 4), ac: usize::from(tables & 15) })
        };
        let components = components.iter().map(find).collect::<Option<Vec<_>>>().ok_or(ODD)?;
        // In the order of the frame, none of them twice (B.2.3).
        if !components.is_sorted_by(|before, after| before.component < after.component) {
            return Err(ODD);
        }
        // No more than ten blocks in an MCU (B.2.3), which a component that is alone has none of.
        let sampling = components.iter().map(|part| frame.components[part.component].sampling);
        if components.len() > 1 && sampling.map(|(h, v)| h * v).sum::<usize>() > 10 {
            return Err(ODD);
        }
        Ok(Scan {
            components,
            band: (usize::from(*start), usize::from(*end)),
            bits: (u32::from(approximation >> 4), u32::from(approximation & 15)),
        })
    }
}
