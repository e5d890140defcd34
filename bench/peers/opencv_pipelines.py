"""OpenCV: libjpeg-turbo's scaled decode, then averages over areas."""

import re

import cv2
import numpy as np

from jpeg_header import read_header
from peer import FileByFile
from sizes import VARIANTS, Size, covers, largest

cv2.setNumThreads(1)

REDUCTIONS = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)


def decode(data: bytes) -> tuple[np.ndarray, Size]:
    """The picture, as small as the largest variant allows, and the whole's size. OpenCV turns it upright."""
    source = read_header(data).upright
    wanted = largest(source)
    flag = cv2.IMREAD_COLOR
    for factor, reduced in REDUCTIONS:
        if covers((-(-source[0] // factor), -(-source[1] // factor)), wanted):
            flag = reduced
            break
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    if pixels is None:
        raise ValueError("OpenCV cannot decode it")
    return pixels, source


def resize(pixels: np.ndarray, size: Size) -> np.ndarray:
    """INTER_AREA to shrink and cubic to enlarge, as the documentation says: area would enlarge linearly."""
    found = size_of(pixels)
    if found == size:
        return pixels
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if covers(found, size) else cv2.INTER_CUBIC)


def size_of(pixels: np.ndarray) -> Size:
    return pixels.shape[1], pixels.shape[0]


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """4:2:0 and baseline by default."""
    done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("OpenCV cannot encode it")
    return jpeg.tobytes()


def reduced(data: bytes, quality: int):
    """Every variant from the decoded picture."""
    pixels, source = decode(data)
    for variant in VARIANTS:
        yield variant.name, encode(resize(pixels, variant.size(source)), quality)


def cascade(data: bytes, quality: int):
    """Each variant from the one before where that covers it: fewer pixels to read, at some loss."""
    pixels, source = decode(data)
    before = pixels
    for variant in VARIANTS:
        size = variant.size(source)
        before = resize(before if covers(size_of(before), size) else pixels, size)
        yield variant.name, encode(before, quality)


def versions() -> dict[str, str]:
    codec = re.search(r"JPEG:\s+\S*(libjpeg-turbo) \(ver ([\d.]+)", cv2.getBuildInformation())
    return {"opencv": cv2.__version__} | ({codec[1]: codec[2]} if codec else {})


PEERS = {
    "opencv-cascade": lambda: FileByFile(cascade, versions()),
    "opencv-reduced": lambda: FileByFile(reduced, versions()),
}
