"""What the head of a JPEG file says: its size, how it is coded, how it lies."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

SOI, SOS, APP1 = 0xD8, 0xDA, 0xE1
# Start of frame: all of C0-CF but the tables' markers DHT, JPG and DAC.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = 0xC2
ORIENTATION = 0x0112


class NotJpeg(ValueError):
    """The bytes are no JPEG file, or its head is cut off."""


@dataclass(frozen=True)
class JpegHeader:
    """Width and height as stored; the orientation is EXIF's, 1 when there is none; components are colours."""

    width: int
    height: int
    progressive: bool
    orientation: int
    components: int

    @property
    def upright(self) -> tuple[int, int]:
        """The size once the orientation is applied."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def read_header(data: bytes) -> JpegHeader:
    """Reads no further than the first start of frame."""
    orientation = 1
    for marker, payload in segments(data):
        if marker == APP1 and payload[:6] == b"Exif\0\0":
            orientation = exif_orientation(payload[6:])
        elif marker in FRAMES:
            if len(payload) < 6:
                break
            height, width, components = struct.unpack_from(">HHB", payload, 1)
            return JpegHeader(width, height, marker == PROGRESSIVE, orientation, components)
    raise NotJpeg("no start of frame")


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Markers with their payloads, up to the first scan."""
    if data[:2] != bytes([0xFF, SOI]):
        raise NotJpeg("does not begin as a JPEG file")
    position = 2
    while position + 4 <= len(data):
        lead, marker, length = struct.unpack_from(">BBH", data, position)
        if lead != 0xFF:
            raise NotJpeg("no marker where one is due")
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker == SOS:
            return
        yield marker, data[position + 4 : position + 2 + length]
        position += 2 + length


def exif_orientation(tiff: bytes) -> int:
    """The orientation in the first directory; 1 for whatever makes no sense."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for entry in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * entry)
            if tag == ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
