"""Writes image files and what Pillow makes of them, for tests/suite/pillow.rs to compare with.

    python make_cases.py OUT_DIR

OUT_DIR/cases.json is a list of {name, input, expected, sizes, alpha, tolerance, mean, orientation}: `expected`
maps a size spec to a PNG with the upright sRGB picture; "" stands for the original size. `tolerance` is the
largest allowed difference of a sample, `mean` of the average over all samples.
"""

import io
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

OUT = Path(sys.argv[1])
CASES = []
SRGB = ImageCms.createProfile("sRGB")


# --- pictures ---------------------------------------------------------------------------------------------


def scene(width, height, seed=1):
    """Smooth gradients, hard edges and a little noise; no symmetry, so every wrong turn shows."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    rgb = np.stack(
        [
            255 * x / (width - 1),
            255 * y / (height - 1),
            127 + 127 * np.sin(x / 9.0 + y / 23.0),
        ],
        axis=-1,
    )
    rgb[height // 8 : height // 3, width // 8 : width // 2] = (250, 20, 30)
    rgb[height // 2 : height * 2 // 3, width // 5 : width // 4] = (5, 240, 60)
    rgb += np.random.default_rng(seed).normal(0, 4, rgb.shape)
    return Image.fromarray(rgb.clip(0, 255).astype(np.uint8), "RGB")


def alpha_scene(width, height):
    y, x = np.mgrid[0:height, 0:width].astype(float)
    alpha = (255 * x / (width - 1)).astype(np.uint8)
    alpha[: height // 4, : width // 4] = 0
    alpha[height * 3 // 4 :, :] = 255
    picture = scene(width, height)
    picture.putalpha(Image.fromarray(alpha, "L"))
    return picture


# --- ICC profiles, written by hand (ICC.1:2010) -------------------------------------------------------------


def s15(value):
    return struct.pack(">i", round(value * 65536))


def profile(device_class, space, pcs, tags):
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(4 + 4 + 2 + 1 + 67),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + s15(0.9642) + s15(1.0) + s15(0.8249),
        **tags,
    }
    offset = 128 + 4 + 12 * len(tags)
    table, body = b"", b""
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", offset + len(body), bytes(4), 0x02400000, device_class, space, pcs)
    header += bytes(12) + b"acsp" + bytes(28) + s15(0.9642) + s15(1.0) + s15(0.8249) + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + body


def gamma(value):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def xyz(x, y, z):
    return b"XYZ " + bytes(4) + s15(x) + s15(y) + s15(z)


def matrix_profile(red, green, blue, exponent):
    tags = {b"rXYZ": xyz(*red), b"gXYZ": xyz(*green), b"bXYZ": xyz(*blue)}
    return profile(b"mntr", b"RGB ", b"XYZ ", tags | {t: gamma(exponent) for t in (b"rTRC", b"gTRC", b"bTRC")})


# D50-adapted primaries, as published in the two spaces' own profiles.
ADOBE_RGB = matrix_profile((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), 2.199)
DISPLAY_P3 = matrix_profile((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407), 2.2)
GRAY_18 = profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": gamma(1.8)})


def cmyk_profile():
    """A press of its own: ink to Lab through a 4-dimensional table of 16 bits (mft2)."""
    grid = 9
    level = np.linspace(0, 1, grid)
    c, m, y, k = np.meshgrid(level, level, level, level, indexing="ij")
    light = (1 - 0.9 * k) * (1 - 0.25 * c - 0.4 * m - 0.08 * y).clip(0, 1)
    a = (1 - k) * (-35 * c + 70 * m - 5 * y)
    b = (1 - k) * (-45 * c - 5 * m + 85 * y)
    lab = np.stack([100 * light * 652.8, (a + 128) * 256, (b + 128) * 256], axis=-1)  # ICC v2 Lab encoding
    table = lab.round().clip(0, 65535).astype(">u2").tobytes()
    ramp = struct.pack(">HH", 0, 65535)
    identity = b"".join(s15(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    lut = b"mft2" + bytes(4) + bytes([4, 3, grid, 0]) + identity + struct.pack(">HH", 2, 2) + ramp * 4 + table + ramp * 3
    return profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut})


def to_srgb(image, icc):
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    # Exactly, not through a coarse table of the whole conversion.
    exact = ImageCms.Flags.NOOPTIMIZE
    return ImageCms.profileToProfile(image, source, SRGB, renderingIntent=0, outputMode=mode, flags=exact)


# --- cases ------------------------------------------------------------------------------------------------


def encode(image, fmt, **options):
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def plain(data):
    """What Pillow sees: upright, as RGB or RGBA."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    has_alpha = image.mode in ("RGBA", "LA", "PA", "La") or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")


def case(name, data, extension, expected=None, alpha="keep", tolerance=0, mean=0.0, orientation=1):
    """`expected`: an image, or {size spec: image}; by default what Pillow decodes."""
    if expected is None:
        expected = plain(data)
    if not isinstance(expected, dict):
        expected = {"": expected}
    path = f"{name}.{extension}"
    (OUT / path).write_bytes(data)
    files = {}
    for number, (spec, image) in enumerate(expected.items()):
        files[spec] = f"{name}.expected{number}.png"
        image.save(OUT / files[spec])
    CASES.append(
        {
            "name": name,
            "input": path,
            "expected": files,
            "alpha": alpha,
            "tolerance": tolerance,
            "mean": mean,
            "orientation": orientation,
        }
    )


def orientations():
    picture = scene(97, 64)
    for tag in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = tag
        for fmt, extension, options in (
            ("JPEG", "jpg", {"quality": 95}),
            ("PNG", "png", {}),
            ("WEBP", "webp", {"lossless": True}),
        ):
            data = encode(picture, fmt, exif=exif, **options)
            case(f"orientation-{tag}-{extension}", data, extension, orientation=tag)
        tiff = encode(picture, "TIFF", tiffinfo={0x0112: tag})
        case(f"orientation-{tag}-tiff", tiff, "tif", orientation=tag)
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = exif.tobytes()
    for zipped in (False, True):
        info = PngImagePlugin.PngInfo()
        info.add_text("Raw profile type exif", f"\nexif\n{len(raw):8}\n{raw.hex()}\n", zip=zipped)
        name = f"orientation-6-png-raw-profile-{'zTXt' if zipped else 'tEXt'}"
        case(name, encode(picture, "PNG", pnginfo=info), "png", orientation=6)
    for tag in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = tag
        case(f"orientation-{tag}-means-upright", encode(picture, "JPEG", exif=exif), "jpg", expected=plain(encode(picture, "JPEG")))


def jpegs():
    picture = scene(203, 131)
    for name, options in {
        "baseline-420": {"subsampling": 2},
        "baseline-422": {"subsampling": 1},
        "baseline-444": {"subsampling": 0},
        "progressive": {"progressive": True},
        "optimized": {"optimize": True},
        "rgb-coded": {"keep_rgb": True},
        "restarts": {"restart_marker_rows": 1},
    }.items():
        case(f"jpeg-{name}", encode(picture, "JPEG", quality=90, **options), "jpg")
    case("jpeg-gray", encode(picture.convert("L"), "JPEG"), "jpg")
    case("jpeg-one-pixel", encode(picture.crop((0, 0, 1, 1)), "JPEG"), "jpg")
    case("jpeg-comment-and-rubbish-after", encode(picture, "JPEG", comment=b"x" * 999) + b"PK\3\4 rubbish", "jpg")
    case("mpo-first-picture", encode(picture, "MPO", save_all=True, append_images=[scene(203, 131, 2)]), "jpg", expected=plain(encode(picture, "JPEG")))

    cmyk = encode(picture.convert("CMYK"), "JPEG", quality=95)
    adobe = cmyk.index(b"\xff\xee\x00\x0eAdobe")
    ycck = bytearray(cmyk)
    ycck[adobe + 15] = 2
    bare = cmyk[:adobe] + cmyk[adobe + 16 :]
    case("jpeg-cmyk-adobe", cmyk, "jpg")
    case("jpeg-ycck-adobe", bytes(ycck), "jpg")
    case("jpeg-cmyk-without-adobe", bare, "jpg")
    odd = bytearray(encode(picture, "JPEG"))
    odd[odd.index(b"JFIF\0") + 5] = 9
    case("jpeg-odd-jfif-version", bytes(odd), "jpg")


def profiles():
    picture = scene(150, 90)
    for name, icc in (("adobe-rgb", ADOBE_RGB), ("display-p3", DISPLAY_P3)):
        data = encode(picture, "JPEG", quality=95, icc_profile=icc)
        case(f"icc-{name}-jpeg", data, "jpg", to_srgb(plain(data), icc), tolerance=2, mean=0.5)
        data = encode(picture, "PNG", icc_profile=icc)
        case(f"icc-{name}-png", data, "png", to_srgb(picture, icc), tolerance=2, mean=0.5)
        data = encode(picture, "WEBP", lossless=True, icc_profile=icc)
        case(f"icc-{name}-webp", data, "webp", to_srgb(picture, icc), tolerance=2, mean=0.5)
        data = encode(picture, "TIFF", icc_profile=icc)
        case(f"icc-{name}-tiff", data, "tif", to_srgb(picture, icc), tolerance=2, mean=0.5)
    glassy = alpha_scene(150, 90)
    data = encode(glassy, "PNG", icc_profile=ADOBE_RGB)
    case("icc-with-alpha", data, "png", to_srgb(glassy, ADOBE_RGB), tolerance=2, mean=0.5)
    gray = picture.convert("L")
    case("icc-gray", encode(gray, "PNG", icc_profile=GRAY_18), "png", to_srgb(gray, GRAY_18), tolerance=2, mean=0.5)
    cmyk, icc = picture.convert("CMYK"), cmyk_profile()
    data = encode(cmyk, "JPEG", quality=95, icc_profile=icc)
    # At the edge of the gamut a channel falls steeply to 0: there Little CMS and ours both stray by 10 from a
    # calculation in floating point, elsewhere by 1 or 2.
    case("icc-cmyk", data, "jpg", to_srgb(Image.open(io.BytesIO(data)), icc), tolerance=16, mean=0.7)
    # Of no use, so ignored: broken, or for other pixels than there are.
    for name, icc in (("broken", ADOBE_RGB[:200]), ("of-gray", GRAY_18), ("of-ink", cmyk_profile()), ("rubbish", b"\1" * 300)):
        case(f"icc-useless-{name}", encode(picture, "PNG", icc_profile=icc), "png", picture)
        data = encode(picture, "JPEG", icc_profile=icc)
        case(f"icc-useless-{name}-jpeg", data, "jpg", plain(data))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def raw_png(width, height, depth, colour, rows, extra=b""):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def depths():
    picture = scene(101, 77)
    rng = np.random.default_rng(3)
    wide = rng.integers(0, 65536, (77, 101, 3), dtype=np.uint16)
    rounded = Image.fromarray((wide / 257.0).round().astype(np.uint8), "RGB")
    data = raw_png(101, 77, 16, 2, [row.astype(">u2").tobytes() for row in wide])
    case("png-16-bit", data, "png", rounded)
    case("png-16-bit-as-pillow-truncates", data, "png", tolerance=1, mean=0.6)
    gray = Image.fromarray((wide[..., 0] / 257.0).round().astype(np.uint8), "L").convert("RGB")
    case("png-16-bit-gray", raw_png(101, 77, 16, 0, [row.astype(">u2").tobytes() for row in wide[..., 0]]), "png", gray)
    case("tiff-16-bit-gray", encode(Image.fromarray(wide[..., 0]), "TIFF"), "tif", gray)
    four = rng.integers(0, 65536, (20, 30, 4), dtype=np.uint16)
    glass = Image.fromarray((four / 257.0).round().astype(np.uint8), "RGBA")
    case("png-16-bit-alpha", raw_png(30, 20, 16, 6, [row.astype(">u2").tobytes() for row in four]), "png", glass)

    case("png-gray", encode(picture.convert("L"), "PNG"), "png")
    case("png-gray-alpha", encode(alpha_scene(60, 40).convert("LA"), "PNG"), "png")
    case("png-bilevel", encode(picture.convert("1"), "PNG"), "png")
    case("png-rgba", encode(alpha_scene(60, 40), "PNG"), "png")
    opaque = picture.copy()
    opaque.putalpha(255)
    case("png-opaque-alpha-is-none", encode(opaque, "PNG"), "png", picture)
    for colours in (2, 4, 16, 256):
        case(f"png-palette-{colours}", encode(picture.quantize(colours), "PNG"), "png")
    case("png-palette-transparent-index", encode(picture.quantize(16), "PNG", transparency=3), "png")
    case("png-palette-transparency-table", encode(picture.quantize(4), "PNG", transparency=b"\x00\x40\x80\xff"), "png")
    keyed = raw_png(2, 1, 8, 2, [bytes([9, 9, 9, 1, 2, 3])], chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3)))
    case("png-colour-key", keyed, "png")

    case("gif", encode(picture.quantize(64), "GIF"), "gif")
    case("gif-transparent", encode(picture.quantize(64), "GIF", transparency=5), "gif")
    case("gif-animated-first-frame", encode(picture.quantize(64), "GIF", save_all=True, append_images=[scene(101, 77, 2).quantize(64)]), "gif")
    case("webp-animated-first-frame", encode(picture, "WEBP", lossless=True, save_all=True, append_images=[scene(101, 77, 2)]), "webp", picture)
    case("apng-first-frame", encode(picture, "PNG", save_all=True, append_images=[scene(101, 77, 2)]), "png", picture)
    case("webp-lossless-alpha", encode(alpha_scene(60, 40), "WEBP", lossless=True, exact=True), "webp")
    # Decoders may upsample chroma and interpolate differently; ours and libwebp agree closely.
    case("webp-lossy", encode(picture, "WEBP", quality=90), "webp", tolerance=4, mean=0.5)
    case("webp-lossy-alpha", encode(alpha_scene(60, 40), "WEBP", quality=90), "webp", tolerance=4, mean=0.5)
    for mode in ("RGB", "L", "P", "1"):
        case(f"bmp-{mode.lower()}", encode(picture.convert(mode), "BMP"), "bmp")
    for mode, compression in (("RGB", "raw"), ("RGB", "tiff_lzw"), ("RGB", "tiff_adobe_deflate"), ("RGB", "packbits"), ("L", "raw"), ("1", "raw")):
        case(f"tiff-{mode.lower()}-{compression}", encode(picture.convert(mode), "TIFF", compression=compression), "tif")
    case("tiff-rgba", encode(alpha_scene(60, 40), "TIFF"), "tif")
    multiplied = Image.fromarray(np.asarray(alpha_scene(60, 40).convert("RGBa")).copy(), "RGBA")
    data = encode(multiplied, "TIFF", tiffinfo={338: 1})
    case("tiff-premultiplied-alpha", data, "tif", tolerance=1, mean=0.1)
    case("tiff-cmyk", encode(picture.convert("CMYK"), "TIFF"), "tif", tolerance=1, mean=0.6)


def lanczos(image, size, box=None):
    """Lanczos, columns first. Where 8-bit colours overshoot, the order of the passes shows: Pillow takes rows
    first, our resizer columns, so Pillow is given the picture lying on its side."""
    flip = Image.Transpose.TRANSPOSE
    if box is not None:
        box = (box[1], box[0], box[3], box[2])
    return image.transpose(flip).resize((size[1], size[0]), Image.LANCZOS, box=box).transpose(flip)


def resized(image, spec):
    width, height = image.size
    if spec == "360p":
        scale = min(640 / width, 360 / height, 1)
        return lanczos(image, (round(width * scale), round(height * scale)))
    size, _, fit = spec.partition(":")
    box = tuple(int(side) for side in size.split("x"))
    if fit == "stretch":
        return lanczos(image, box)
    if fit == "crop":
        scale = max(box[0] / width, box[1] / height)
        shown = (box[0] / scale, box[1] / scale)
        left, top = (width - shown[0]) / 2, (height - shown[1]) / 2
        return lanczos(image, box, (left, top, left + shown[0], top + shown[1]))
    scale = min(box[0] / width, box[1] / height)
    inner = lanczos(image, (round(width * scale), round(height * scale)))
    canvas = Image.new(image.mode, box, (10, 20, 30) if image.mode == "RGB" else (10, 20, 30, 255))
    canvas.paste(inner, ((box[0] - inner.width) // 2, (box[1] - inner.height) // 2))
    return canvas


SPECS = ["360p", "100x80", "1000x300", "100x80:crop", "333x500:crop", "120x50:stretch", "801x701:stretch"]


def sizes():
    for name, picture, data in (
        ("rgb", scene(801, 533), None),
        ("gray", scene(801, 533).convert("L").convert("RGB"), encode(scene(801, 533).convert("L"), "PNG")),
        ("turned", ImageOps.exif_transpose(scene(801, 533)).transpose(Image.Transpose.ROTATE_270), None),
        ("alpha", alpha_scene(401, 303), None),
    ):
        if name == "turned":
            exif = Image.Exif()
            exif[0x0112] = 6
            data = encode(scene(801, 533), "PNG", exif=exif)
        data = data or encode(picture, "PNG")
        tag = 6 if name == "turned" else 1
        case(f"resized-{name}", data, "png", {s: resized(picture, s) for s in SPECS}, tolerance=4, mean=0.3, orientation=tag)
    glassy, flat = alpha_scene(401, 303), {}
    for spec in ("360p", "120x50:stretch", "100x80:crop"):
        small = resized(glassy, spec)
        flat[spec] = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small).convert("RGB")
    case("resized-flattened", encode(glassy, "PNG"), "png", flat, alpha="flatten", tolerance=4, mean=0.5)


for make in (orientations, jpegs, profiles, depths, sizes):
    make()
(OUT / "cases.json").write_text(json.dumps(CASES, indent=1))
