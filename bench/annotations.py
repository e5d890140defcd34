#!/usr/bin/env python3
"""Measures an import of annotations: what docs/benchmarks.md says of it.

    bench/annotations.py [--tasks 20000] [--rounds 3] [--imageml target/release/imageml]

Writes an export of that many tasks, five boxes and two polygons of twenty points each, as Label Studio writes it, and the
same as COCO, and imports them with `imageml annotations import`. Beside it, in the same rounds, the converter of the
Label Studio SDK converts the export alone, in one piece: no import can be faster that has it as its witness. Peak memory
is what Linux says of each process (VmHWM).
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from process import family, high_water
from report import MIB

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-label-studio/bin/python"
WIDTH, HEIGHT = 1000, 500
LABEL_CONFIG = """<View><Image name="image" value="$image"/>
<RectangleLabels name="box" toName="image"><Label value="car"/></RectangleLabels>
<PolygonLabels name="polygon" toName="image"><Label value="bus"/></PolygonLabels></View>"""


def shapes(chance):
    """Boxes and polygons of one image, in percent."""
    boxes = [[chance.uniform(0, 50), chance.uniform(0, 50), chance.uniform(1, 40), chance.uniform(1, 40)] for _ in range(5)]
    polygons = [[[chance.uniform(0, 99), chance.uniform(0, 99)] for _ in range(20)] for _ in range(2)]
    return boxes, polygons


def result(region, kind, name, label, value):
    return {
        "id": region, "type": kind, "from_name": name, "to_name": "image", "original_width": WIDTH,
        "original_height": HEIGHT, "image_rotation": 0, "value": {**value, kind: [label]},
    }


def task(number, boxes, polygons):
    results = [
        result(f"b{n}", "rectanglelabels", "box", "car", {"x": x, "y": y, "width": w, "height": h, "rotation": 0})
        for n, (x, y, w, h) in enumerate(boxes)
    ] + [
        result(f"p{n}", "polygonlabels", "polygon", "bus", {"points": points, "closed": True})
        for n, points in enumerate(polygons)
    ]
    annotation = {
        "id": number, "unique_id": f"u{number}", "completed_by": 1, "was_cancelled": False, "result": results,
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
    }
    return {"id": number, "data": {"image": f"s3://bucket/{number}.jpg"}, "annotations": [annotation]}


def coco(images):
    document = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}]}

    def annotation(**fields):
        document["annotations"].append({"id": len(document["annotations"]) + 1, "iscrowd": 0, **fields})

    for number, (boxes, polygons) in enumerate(images, 1):
        document["images"].append({"id": number, "file_name": f"{number}.jpg", "width": WIDTH, "height": HEIGHT})
        for x, y, w, h in boxes:
            bbox = [x / 100 * WIDTH, y / 100 * HEIGHT, w / 100 * WIDTH, h / 100 * HEIGHT]
            annotation(image_id=number, category_id=1, bbox=bbox, area=bbox[2] * bbox[3])
        for points in polygons:
            ring = [[x / 100 * WIDTH, y / 100 * HEIGHT] for x, y in points]
            xs, ys = [x for x, _ in ring], [y for _, y in ring]
            bbox = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
            flat = [side for point in ring for side in point]
            annotation(image_id=number, category_id=2, bbox=bbox, area=bbox[2] * bbox[3], segmentation=[flat])
    return document


def measure(command, **options):
    """Seconds, peak of the program, largest peak of what it started, and what it printed."""
    begun, own, helper = time.monotonic(), 0, 0
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)
    while process.poll() is None:
        its_own, *of_others = (high_water(pid) / MIB for pid in family(process.pid))
        own, helper = max(own, its_own), max([helper, *of_others])
        time.sleep(0.02)
    seconds = time.monotonic() - begun
    printed = process.stdout.read().decode()
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with {process.returncode}: {printed}")
    return seconds, own, helper, printed


def import_file(imageml, path, folder):
    home = tempfile.mkdtemp(dir=folder)
    command = [imageml, "annotations", "import", path, "--dataset", "bench", "--home", home, "--label-studio-root", ROOT, "--json"]
    seconds, own, helper, printed = measure(command)
    summary = json.loads(printed)["files"][0]["import"]["summary"]
    return seconds, own, helper, (summary["records"], summary["regions"], summary["refused"])


def convert_alone(path, folder):
    config = Path(folder, "label_config.xml")
    config.write_text(LABEL_CONFIG)
    output = tempfile.mkdtemp(dir=folder)
    request = {"id": 1, "op": "ls_to_coco", "input_path": str(path), "output_dir": output, "label_config_path": str(config)}
    questions = Path(folder, "request.json")
    questions.write_text(json.dumps(request) + "\n")
    with questions.open() as stdin:
        command = [PYTHON, "-B", "-P", "-s", "-m", "label_studio_worker", "--once"]
        environment = {"PYTHONPATH": str(ROOT / "python"), "PATH": os.environ["PATH"]}
        seconds, own, helper, _ = measure(command, stdin=stdin, env=environment)
    return seconds, max(own, helper)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tasks", type=int, default=20_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--imageml", type=Path, default=ROOT / "target/release/imageml")
    given = arguments.parse_args()
    chance = random.Random(1)
    images = [shapes(chance) for _ in range(given.tasks)]
    with tempfile.TemporaryDirectory() as folder:
        files = {"label_studio": Path(folder, "export.json"), "coco": Path(folder, "coco.json")}
        files["label_studio"].write_text(json.dumps([task(n, *image) for n, image in enumerate(images, 1)]))
        files["coco"].write_text(json.dumps(coco(images)))
        expected = (given.tasks, 7 * given.tasks, 0)
        del images
        rows = {name: [] for name in ["imageml, Label Studio", "imageml, COCO", "SDK alone, Label Studio"]}
        for _ in range(given.rounds):
            for name, kind in [("imageml, Label Studio", "label_studio"), ("imageml, COCO", "coco")]:
                *row, found = import_file(given.imageml, files[kind], folder)
                assert found == expected, f"{name}: records, regions, refused are {found}, not {expected}"
                rows[name].append(row)
            seconds, memory = convert_alone(files["label_studio"], folder)
            rows["SDK alone, Label Studio"].append([seconds, 0, memory])
        sizes = ", ".join(f"{kind} {path.stat().st_size / 1e6:.0f} MB" for kind, path in files.items())
        print(f"{given.tasks} images, {7 * given.tasks} regions ({sizes}), {given.rounds} rounds\n")
    print("| | seconds | images/s | peak MB of imageml | peak MB of Python |\n|---|---:|---:|---:|---:|")
    for name, measured in rows.items():
        seconds = statistics.median(row[0] for row in measured)
        own, python = (max(row[n] for row in measured) for n in (1, 2))
        print(f"| {name} | {seconds:.1f} | {given.tasks / seconds:.0f} | {own:.0f} | {python:.0f} |")
    pairs = zip(rows["imageml, Label Studio"], rows["SDK alone, Label Studio"])
    print(f"\nimageml / SDK alone, median of paired ratios: {statistics.median(one[0] / other[0] for one, other in pairs):.2f}")


if __name__ == "__main__":
    main()
