"""Pillow: one decode at a reduced scale, Lanczos from it."""

import io

import PIL
from PIL import Image, ImageOps, features

from jpeg_header import read_header
from peer import FileByFile
from sizes import VARIANTS, largest


def draft(data: bytes, quality: int):
    """`draft` has libjpeg-turbo scale; `reducing_gap` averages whole boxes first where that is harmless."""
    header = read_header(data)
    wanted = largest(header.upright)
    with Image.open(io.BytesIO(data)) as image:
        # It knows the picture as it is stored, and turning comes after decoding.
        image.draft("RGB", wanted[::-1] if header.orientation >= 5 else wanted)
        upright = ImageOps.exif_transpose(image)
    for variant in VARIANTS:
        small = upright.resize(variant.size(header.upright), Image.Resampling.LANCZOS, reducing_gap=2.0)
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality, subsampling="4:2:0", exif=b"", icc_profile=None)
        yield variant.name, buffer.getvalue()


def versions() -> dict[str, str]:
    return {"pillow": PIL.__version__, "libjpeg-turbo": str(features.version("libjpeg_turbo"))}


PEERS = {"pillow-draft": lambda: FileByFile(draft, versions())}
