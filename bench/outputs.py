"""Where originals and their variants lie."""

from pathlib import Path

EXTENSIONS = {".jpg", ".jpeg"}

# Ours has the fit in the name where it is not the default.
OUR_NAMES = {"800x600": "800x600-stretch"}


def pictures(folder: Path) -> list[Path]:
    """The JPEG files right in the folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS and path.is_file())


def output_of(folder: Path, stem: str, variant: str) -> Path | None:
    """A peer's `STEM.VARIANT.jpg`, or ours, `VARIANT/STEM.jpg`."""
    places = (folder / f"{stem}.{variant}.jpg", folder / OUR_NAMES.get(variant, variant) / f"{stem}.jpg")
    return next((place for place in places if place.exists()), None)
