"""Tables of what bench/images.py has found. `report.py RESULTS.json` prints those of an earlier run."""

import json
import sys
from pathlib import Path

MIB = 2**20


def markdown(results: dict) -> str:
    """Everything, as one piece of Markdown without a title."""
    parts = [environment(results), *(image_set(found, results["quality"]) for found in results["sets"])]
    return "\n\n".join(parts)


def environment(results: dict) -> str:
    found = [f"{library} {version}" for library, version in sorted(versions(results).items())]
    return (
        f"{measured_on(results['environment'], found)} "
        "Ours is measured as whole processes with their start-up, the others after their imports."
    )


def measured_on(facts: dict, others: list[str]) -> str:
    """When, where, and with which versions of ours and of others."""
    flags = f" ({', '.join(facts['vector_flags'])})" if facts["vector_flags"] else ""
    loads = [", ".join(map(str, facts[key])) for key in ("load_average_at_start", "load_average_at_end")]
    memory = f"{facts['memory_gib']} GiB"
    machine = f"{facts['cores']} cores of {facts['cpu']}{flags}, {memory}, Linux {facts['kernel']}"
    programs = [
        f"{facts['imageml'] or 'imageml'} at {facts['commit']}", f"Rust {facts['rust']}",
        f"Python {facts['python']}", *others,
    ]
    return (
        f"Measured {facts['date']} by `{facts['command']}` on {machine}. "
        f"Load average {loads[0]} at the start, {loads[1]} at the end. {', '.join(programs)}."
    )


def versions(results: dict) -> dict[str, str]:
    """Each once, whoever reported it."""
    found = {}
    for one in every_candidate(results):
        for library, version in one.get("versions", {}).items():
            # Several have their own libjpeg-turbo.
            where = f" in {one['name'].partition('-')[0]}" if library == "libjpeg-turbo" else ""
            found[library + where] = version
    return found


def every_candidate(results: dict):
    for found in results["sets"]:
        for candidates in found["threads"].values():
            yield from candidates


def image_set(found: dict, quality: int) -> str:
    codings = f"{found['baseline']} baseline, {found['progressive']} progressive"
    mean = found["megapixels"] / found["images"]
    title = (
        f"### {found['name']}\n\n{found['images']} images ({codings}), {found['bytes'] / 1e6:.1f} MB, "
        f"{mean:.1f} megapixels each on average; three variants, JPEG quality {quality}."
    )
    if found["left_out"]:
        title += f" Left out, since these pictures are too small for it: {', '.join(found['left_out'])}."
    parts = [title]
    for threads, candidates in found["threads"].items():
        parts += [f"{threads} thread{'s' if threads != '1' else ''}:", speeds(candidates), *notes(candidates)]
    scored = [one for candidates in found["threads"].values() for one in candidates if "quality" in one]
    if scored:
        parts += ["Quality:", qualities(scored)]
    return "\n\n".join(parts)


def speeds(candidates: list[dict]) -> str:
    header = (
        "candidate", "CPU ms/image", "wall ms/image", "CPU, × imageml", "wall, × imageml", "peak RSS, MiB",
        "rounds",
    )
    rows = [
        (
            one["name"], f"{one['cpu_ms']:.1f}", f"{one['wall_ms']:.1f}", ratio(one.get("cpu_ratio")),
            ratio(one.get("wall_ratio")), f"{one['peak_rss_bytes'] / MIB:.0f}", str(len(one["rounds"])),
        )
        for one in candidates
        if "unavailable" not in one
    ]
    return table(header, rows)


def ratio(found: dict | None) -> str:
    """The median, and how far rounds differ."""
    return f"{found['median']:.2f} ({found['min']:.2f}–{found['max']:.2f})" if found else ""


def notes(candidates: list[dict]) -> list[str]:
    """What the table has no column for."""
    found = []
    for one in candidates:
        if "unavailable" in one:
            found.append(f"{one['name']} was not available: {one['unavailable']}")
        if one.get("failed"):
            first = ": ".join(one["failed"][0])
            found.append(f"{one['name']} failed {len(one['failed'])} times, first on {first}")
        codings = {coding: ms for coding, ms in one.get("by_coding_cpu_ms", {}).items() if ms is not None}
        if len(codings) > 1:
            parts = ", ".join(f"{ms:.1f} ms {coding}" for coding, ms in codings.items())
            found.append(f"{one['name']}, CPU of an image: {parts}.")
    return found


def qualities(candidates: list[dict]) -> str:
    variants = list(candidates[0]["quality"])
    header = ["candidate", *(f"{variant}: SSIM / PSNR dB / KB" for variant in variants)]
    rows = [[one["name"], *(score(one["quality"][variant]) for variant in variants)] for one in candidates]
    return table(header, rows)


def score(found: dict) -> str:
    return f"{found['ssim']:.4f} / {found['psnr']:.2f} / {found['bytes'] / 1000:.0f}"


def table(header, rows) -> str:
    """Names to the left, numbers to the right."""
    lines = [header, ["---", *(["---:"] * (len(header) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(markdown(json.loads(Path(sys.argv[1]).read_text())))
