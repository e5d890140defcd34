//! EXIF as a camera writes it: the content of a JPEG's APP1 segment, built by hand (CIPA DC-008, Exif 2.32).

/// What the camera noted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exif {
    /// Tag 0x0112, 1 to 8.
    pub(crate) orientation: u16,
    /// `YYYY:MM:DD HH:MM:SS`.
    pub(crate) taken: &'static str,
    /// Whether numbers are stored with the high byte first ("MM") or last ("II").
    pub(crate) big_endian: bool,
    /// Latitude north and longitude east, as degrees, minutes and seconds.
    pub(crate) place: Option<[[u32; 3]; 2]>,
}

/// The bytes before the TIFF structure.
const HEADER: &[u8] = b"Exif\0\0";
const MAKE: &str = "ImageML";
const MODEL: &str = "Sample Camera 1";

/// A tag's value; the variants are the TIFF types that are used here.
enum Value {
    Text(String),
    Short(u16),
    Long(u32),
    Rationals([u32; 3]),
    Bytes([u8; 4]),
    Undefined([u8; 4]),
}

/// Writes numbers in one byte order.
struct Tiff {
    bytes: Vec<u8>,
    big_endian: bool,
}

impl Exif {
    /// The segment's content, without marker and length.
    pub(crate) fn to_segment(self) -> Vec<u8> {
        let mut tiff = Tiff { bytes: Vec::new(), big_endian: self.big_endian };
        tiff.bytes.extend(if self.big_endian { b"MM" } else { b"II" });
        tiff.short(42);
        tiff.long(8);
        let main = |own: u32, gps: u32| {
            let mut tags = vec![
                (0x010f, Value::Text(MAKE.to_owned())),
                (0x0110, Value::Text(MODEL.to_owned())),
                (0x0112, Value::Short(self.orientation)),
                (0x0132, Value::Text(self.taken.to_owned())),
                (0x8769, Value::Long(own)),
            ];
            if self.place.is_some() {
                tags.push((0x8825, Value::Long(gps)));
            }
            tags
        };
        let own = [(0x9000, Value::Undefined(*b"0232")), (0x9003, Value::Text(self.taken.to_owned()))];
        let own_at = 8 + length(&main(0, 0));
        let gps_at = own_at + length(&own);
        tiff.directory(&main(own_at, gps_at));
        tiff.directory(&own);
        if let Some([latitude, longitude]) = self.place {
            tiff.directory(&[
                (0x0000, Value::Bytes([2, 3, 0, 0])),
                (0x0001, Value::Text("N".to_owned())),
                (0x0002, Value::Rationals(latitude)),
                (0x0003, Value::Text("E".to_owned())),
                (0x0004, Value::Rationals(longitude)),
            ]);
        }
        [HEADER, &tiff.bytes].concat()
    }
}

impl Value {
    /// TIFF type and count.
    fn kind(&self) -> (u16, u32) {
        match self {
            Self::Text(text) => (2, text.len() as u32 + 1),
            Self::Short(_) => (3, 1),
            Self::Long(_) => (4, 1),
            Self::Rationals(_) => (5, 3),
            Self::Bytes(_) => (1, 4),
            Self::Undefined(_) => (7, 4),
        }
    }

    /// Bytes that do not fit into the directory entry and follow the directory, padded to an even number.
    fn outside(&self) -> u32 {
        match self {
            Self::Text(text) if text.len() >= 4 => (text.len() as u32 + 2) & !1,
            Self::Rationals(_) => 24,
            Self::Text(_) | Self::Short(_) | Self::Long(_) | Self::Bytes(_) | Self::Undefined(_) => 0,
        }
    }
}

/// A directory's length with the values that follow it.
fn length(tags: &[(u16, Value)]) -> u32 {
    2 + 12 * tags.len() as u32 + 4 + tags.iter().map(|(_, value)| value.outside()).sum::<u32>()
}

impl Tiff {
    fn short(&mut self, value: u16) {
        self.bytes.extend(if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    fn long(&mut self, value: u32) {
        self.bytes.extend(if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
    }

    /// A directory with no successor, and its values. Tags must ascend.
    fn directory(&mut self, tags: &[(u16, Value)]) {
        let mut outside = self.bytes.len() as u32 + 2 + 12 * tags.len() as u32 + 4;
        self.short(tags.len() as u16);
        for (tag, value) in tags {
            let (kind, count) = value.kind();
            self.short(*tag);
            self.short(kind);
            self.long(count);
            if value.outside() > 0 {
                self.long(outside);
                outside += value.outside();
            } else {
                let start = self.bytes.len();
                self.value(value);
                self.bytes.resize(start + 4, 0);
            }
        }
        self.long(0);
        for (_, value) in tags.iter().filter(|(_, value)| value.outside() > 0) {
            let start = self.bytes.len();
            self.value(value);
            self.bytes.resize(start + value.outside() as usize, 0);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => {
                self.bytes.extend(text.as_bytes());
                self.bytes.push(0);
            }
            Value::Short(number) => self.short(*number),
            Value::Long(number) => self.long(*number),
            Value::Rationals(numbers) => {
                for number in numbers {
                    self.long(*number);
                    self.long(1);
                }
            }
            Value::Bytes(bytes) | Value::Undefined(bytes) => self.bytes.extend(bytes),
        }
    }
}

#[cfg(test)]
mod tests;
