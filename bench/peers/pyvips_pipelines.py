"""libvips by pyvips: its own thumbnailer, and two ways to decode less often than it does."""

import os

os.environ["VIPS_CONCURRENCY"] = "1"  # read when the library is loaded

import pyvips

from peer import FileByFile
from sizes import VARIANTS, Size

# Operations are remembered otherwise, and an image seen in an earlier run would cost nothing.
pyvips.cache_set_max(0)


def encode(image: pyvips.Image, quality: int) -> bytes:
    """4:2:0 below quality 90 and baseline by default."""
    return image.jpegsave_buffer(Q=quality, keep="none")


def upright_size(data: bytes) -> Size:
    """Only the header is read."""
    header = pyvips.Image.new_from_buffer(data, "")
    turned = header.get_typeof("orientation") and header.get("orientation") >= 5
    return (header.height, header.width) if turned else (header.width, header.height)


def thumbnail(data: bytes, quality: int):
    """As its documentation says: the thumbnailer for each variant, which decodes at the next larger scale."""
    for variant in VARIANTS:
        width, height = variant.box
        size = "force" if variant.stretch else "down"
        image = pyvips.Image.thumbnail_buffer(data, width, height=height, size=size)
        yield variant.name, encode(image, quality)


def cascade(data: bytes, quality: int):
    """The largest by the thumbnailer, the others from it in memory."""
    source = upright_size(data)
    first, *others = VARIANTS
    width, height = first.box
    largest = pyvips.Image.thumbnail_buffer(data, width, height=height, size="down").copy_memory()
    yield first.name, encode(largest, quality)
    yield from shrunk(largest, source, others, quality)


def once(data: bytes, quality: int):
    """A full decode into memory, every variant from that."""
    image = pyvips.Image.new_from_buffer(data, "", access="sequential").copy_memory()
    upright = image.autorot()
    if upright.width != image.width:
        upright = upright.copy_memory()  # else each variant turns it again
    yield from shrunk(upright, (upright.width, upright.height), VARIANTS, quality)


def shrunk(image: pyvips.Image, source: Size, variants, quality: int):
    """Exact sizes: those of the original, not of what has been rounded once already."""
    for variant in variants:
        width, height = variant.size(source)
        small = image.thumbnail_image(width, height=height, size="force", no_rotate=True)
        yield variant.name, encode(small, quality)


def versions() -> dict[str, str]:
    return {"pyvips": pyvips.__version__, "libvips": ".".join(str(pyvips.version(part)) for part in range(3))}


PEERS = {
    "pyvips-thumbnail": lambda: FileByFile(thumbnail, versions()),
    "pyvips-cascade": lambda: FileByFile(cascade, versions()),
    "pyvips-once": lambda: FileByFile(once, versions()),
}
