#!/usr/bin/env python3
"""Scores variants against the best that Pillow can make of the originals, as JSON on standard output.

    quality.py --originals DIR --variants DIR [--convert-colour] [--cache DIR]

The reference is decoded at full resolution, turned as EXIF says, brought to the variant's size with Lanczos.
With --convert-colour it is sRGB first, where the file has a usable ICC profile: for candidates that do so.
Of each variant: mean SSIM of luma, mean PSNR of RGB in dB, mean bytes. Outputs that are missing or of another
size than the rule's are listed as wrong, and end this with 1.
"""

import argparse
import io
import json
import math
import os
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps
from skimage.metrics import structural_similarity

from outputs import output_of, pictures
from peers.sizes import VARIANTS, Variant

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
SRGB = ImageCms.createProfile("sRGB")


class Reference:
    """An original as it should look. Decoded when first asked for: not at all when everything is cached."""

    def __init__(self, path: Path, convert_colour: bool, cache: Path | None):
        self.path = path
        self.convert_colour = convert_colour
        self.cache = cache
        self.decoded: Image.Image | None = None

    def picture(self) -> Image.Image:
        if self.decoded is None:
            with Image.open(self.path) as image:
                profile = image.info.get("icc_profile")
                upright = ImageOps.exif_transpose(image)
            if self.convert_colour and profile:
                upright = in_srgb(upright, profile)
            self.decoded = upright.convert("RGB")
        return self.decoded

    def size(self) -> tuple[int, int]:
        """Upright, from the header alone."""
        with Image.open(self.path) as image:
            turned = image.getexif().get(0x0112, 1) >= 5
            return image.size[::-1] if turned else image.size

    def pixels(self, variant: Variant) -> np.ndarray:
        cached = self.cached(variant)
        if cached and cached.exists():
            return np.load(cached)
        size = variant.size(self.size())
        pixels = np.asarray(self.picture().resize(size, Image.Resampling.LANCZOS))
        if cached:
            np.save(cached, pixels)
        return pixels

    def cached(self, variant: Variant) -> Path | None:
        """Another file under the same name has, in all likelihood, another size or age."""
        if self.cache is None:
            return None
        found = self.path.stat()
        colour = "srgb" if self.convert_colour else "as-is"
        name = f"{self.path.stem}-{found.st_size}-{found.st_mtime_ns}.{variant.name}.{colour}.npy"
        return self.cache / name


def in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Unchanged where the profile is broken or of another colour model than the picture."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        intent = ImageCms.Intent.PERCEPTUAL
        return ImageCms.profileToProfile(image, source, SRGB, renderingIntent=intent, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image


def score(original: Path, variants: Path, convert_colour: bool, cache: Path | None) -> list[dict]:
    """One original's variants."""
    reference = Reference(original, convert_colour, cache)
    outputs = {variant: output_of(variants, original.stem, variant.name) for variant in VARIANTS}
    return [score_one(reference, variant, output) for variant, output in outputs.items()]


def score_one(reference: Reference, variant: Variant, output: Path | None) -> dict:
    found = {"file": reference.path.name, "variant": variant.name}
    if output is None:
        return found | {"wrong": "missing"}
    with Image.open(output) as image:
        made = image.convert("RGB")
    wanted = variant.size(reference.size())
    if made.size != wanted:
        return found | {"wrong": f"is {made.size[0]}x{made.size[1]}, not {wanted[0]}x{wanted[1]}"}
    try:
        best = reference.pixels(variant)
    except OSError as error:
        return found | {"wrong": f"the original cannot be decoded: {error}"}
    scores = compare(best, np.asarray(made))
    return found | scores | {"bytes": output.stat().st_size}


def compare(wanted: np.ndarray, made: np.ndarray) -> dict:
    # The constants of Wang et al. 2004.
    ssim = structural_similarity(
        wanted @ LUMA, made @ LUMA, data_range=255, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )
    error = float(np.mean((wanted.astype(np.float32) - made) ** 2, dtype=np.float64))
    # Equal pictures have no PSNR; 100 dB is beyond what a JPEG reaches.
    return {"ssim": float(ssim), "psnr": 10 * math.log10(255**2 / error) if error else 100.0}


def summary(scored: list[dict]) -> dict:
    variants = {}
    for variant in VARIANTS:
        rows = [row for row in scored if row["variant"] == variant.name and "wrong" not in row]
        if rows:
            means = {key: statistics.fmean(row[key] for row in rows) for key in ("ssim", "psnr", "bytes")}
            variants[variant.name] = {"images": len(rows)} | means
    return {"variants": variants, "wrong": [row for row in scored if "wrong" in row]}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--originals", type=Path, required=True, metavar="DIR")
    parser.add_argument("--variants", type=Path, required=True, metavar="DIR")
    parser.add_argument("--convert-colour", action="store_true", help="references are sRGB")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keeps references for the next run")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    if asked.cache:
        asked.cache.mkdir(parents=True, exist_ok=True)
    one = partial(score, variants=asked.variants, convert_colour=asked.convert_colour, cache=asked.cache)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        scored = [row for rows in pool.map(one, pictures(asked.originals)) for row in rows]
    found = summary(scored)
    print(json.dumps(found))
    sys.exit(1 if found["wrong"] else 0)


if __name__ == "__main__":
    main()
