"""Which pictures are measured on.

`inputs.py IMAGEML SCRATCH large|small` says where they are when none are asked for; drawn ones are put below
SCRATCH.
"""

import json
import shutil
import sys
from pathlib import Path

from outputs import EXTENSIONS
from peers.jpeg_header import read_header
from process import run

ROOT = Path(__file__).resolve().parent.parent
# From large to small.
USUAL = [ROOT / "../shared/data/photos", ROOT / "../shared/data/raccoon/images"]
DRAWN = "drawn"


class BadInput(Exception):
    """A folder holds something that cannot be measured on."""


def folders(asked: list[Path], imageml: Path, scratch: Path) -> list[Path]:
    """Those that were asked for, else the usual ones, else drawn pictures: a bare clone has no others."""
    for folder in asked:
        if not folder.is_dir():
            raise BadInput(f"{folder} is no folder")
    return asked or [folder for folder in USUAL if folder.is_dir()] or [drawn(imageml, scratch / DRAWN)]


def drawn(imageml: Path, folder: Path) -> Path:
    """The demo's JPEG files that decode, in one folder. Not every peer takes what is not in three colours."""
    if folder.is_dir():
        return folder
    demo = folder.parent / "demo"
    written = json.loads(run([str(imageml), "demo", "--output", str(demo), "--json"]).stdout)
    folder.mkdir(parents=True)
    for name in [sample["name"] for sample in written if sample["expected"] == "image"]:
        file = demo / name
        if file.suffix in EXTENSIONS and read_header(file.read_bytes()).components == 3:
            shutil.move(file, folder / name.replace("/", "-"))
    shutil.rmtree(demo)
    return folder


if __name__ == "__main__":
    found = folders([], Path(sys.argv[1]), Path(sys.argv[2]))
    print(found[0 if sys.argv[3] == "large" else -1].resolve())
