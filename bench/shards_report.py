"""Tables of what bench/shards.py has found.

`shards_report.py RESULTS.json` prints those of an earlier run.
"""

import json
import sys
from pathlib import Path

from report import measured_on, ratio, table

MB = 1e6
HEADER = (
    "packer", "MB per CPU second", "CPU s", "MB/s", "wall s", "CPU, ours ÷ its", "wall, ours ÷ its", "rounds",
)


def markdown(results: dict) -> str:
    """Everything, as one piece of Markdown without a title."""
    content = results["samples"] * (results["sample_bytes"] + results["json_bytes"]) / MB
    return f"{introduction(results)}\n\n{table(HEADER, [row(one, content) for one in results['packers']])}"


def introduction(results: dict) -> str:
    versions = [f"{name} {version}" for name, version in results["versions"].items()]
    return (
        f"{measured_on(results['environment'], versions)} "
        f"{results['samples']:,} samples of {results['sample_bytes']:,} and {results['json_bytes']} bytes, "
        f"{results['shard_samples']:,} in a shard, from memory to memory. "
        "Measured in each program once all samples are read. "
        "Ours makes indexes of its shards, too; the copy is of the samples' bytes alone."
    )


def row(one: dict, content: float) -> list[str]:
    cpu, wall = one["cpu_s"], one["wall_s"]
    return [
        one["name"], f"{content / cpu:.0f}", f"{cpu:.2f}", f"{content / wall:.0f}", f"{wall:.2f}",
        ratio(one.get("cpu_ratio")), ratio(one.get("wall_ratio")), str(len(one["rounds"])),
    ]


if __name__ == "__main__":
    print(markdown(json.loads(Path(sys.argv[1]).read_text())))
