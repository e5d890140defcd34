"""Interleaved rounds: in each, every candidate runs once, in order, on the same files."""

import json
import shutil
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from candidates import Candidate, Measured, Ours, Unavailable, Work
from image_sets import ImageSet

QUALITY_PROGRAM = Path(__file__).resolve().parent / "quality.py"
YARDSTICK = "imageml"


class BadVariants(Exception):
    """Variants are missing or of the wrong size."""


@dataclass
class Runs:
    """One candidate's runs, by round, and where its last outputs are."""

    candidate: Candidate
    by_round: dict[int, Measured] = field(default_factory=dict)
    kept: Path | None = None
    unavailable: str | None = None


@dataclass(frozen=True)
class Plan:
    """How often, how, and where to put what is made."""

    rounds: int
    slow_rounds: int
    quality: int
    scratch: Path
    scored_threads: int | None
    convert_colour: bool

    def rounds_of(self, candidate: Candidate) -> int:
        return min(self.rounds, self.slow_rounds) if candidate.slow else self.rounds

    def scores(self, images: ImageSet, threads: int) -> bool:
        """Once for each picture: more threads, or fewer files at a time, make the same variants."""
        return images.part_of is None and threads == self.scored_threads


def measure(images: ImageSet, threads: int, candidates: list[Candidate], plan: Plan) -> list[dict]:
    """A result for each candidate."""
    all_runs = [Runs(candidate) for candidate in candidates]
    for number in range(plan.rounds):
        for runs in all_runs:
            if number < plan.rounds_of(runs.candidate) and not runs.unavailable:
                run_once(runs, number, images, threads, plan)
    yardstick = next((runs for runs in all_runs if runs.candidate.name == YARDSTICK), None)
    results = [result(runs, yardstick, len(images.files)) for runs in all_runs]
    for runs, found in zip(all_runs, results, strict=True):
        if runs.by_round and runs.candidate.scored and plan.scores(images, threads):
            found["quality"] = scored(runs, images, plan)
        if runs.kept:
            shutil.rmtree(runs.kept)
    return results


def run_once(runs: Runs, number: int, images: ImageSet, threads: int, plan: Plan) -> None:
    out = plan.scratch / "out" / f"{runs.candidate.name}-{number}"
    if runs.kept:  # before the run: two sets of outputs need not lie in memory at once
        shutil.rmtree(runs.kept)
    runs.kept = out
    try:
        measured = runs.candidate.checked(Work(images, out, plan.quality, threads))
    except Unavailable as error:
        runs.unavailable = str(error)
        say(f"{runs.candidate.name} is not available: {error}")
        return
    runs.by_round[number] = measured
    count = len(images.files)
    say(
        f"{images.name}, threads {threads}, round {number + 1}/{plan.rounds_of(runs.candidate)}, "
        f"{runs.candidate.name}: {1000 * measured.cpu_s / count:.1f} ms CPU, "
        f"{1000 * measured.wall_s / count:.1f} ms wall an image"
    )


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def result(runs: Runs, yardstick: Runs | None, images: int) -> dict:
    found = {"name": runs.candidate.name, "rounds": [asdict(run) for run in runs.by_round.values()]}
    if runs.unavailable:
        return found | {"unavailable": runs.unavailable}
    measured = list(runs.by_round.values())
    found |= {
        "cpu_ms": 1000 * statistics.median(run.cpu_s for run in measured) / images,
        "wall_ms": 1000 * statistics.median(run.wall_s for run in measured) / images,
        "peak_rss_bytes": max(run.peak_rss_bytes for run in measured),
        "versions": measured[-1].versions,
        "failed": measured[-1].failed,
    }
    if yardstick:
        found["cpu_ratio"] = ratio(runs, yardstick, "cpu_s")
        found["wall_ratio"] = ratio(runs, yardstick, "wall_s")
    codings = {coding: by_coding_ms(measured, coding) for coding in measured[-1].by_coding}
    return found | ({"by_coding_cpu_ms": codings} if codings else {})


def ratio(runs: Runs, yardstick: Runs, what: str) -> dict[str, float]:
    """To the yardstick in the same round: what else the machine did then has met both."""
    pairs = [(run, yardstick.by_round[number]) for number, run in runs.by_round.items()]
    ratios = [getattr(run, what) / getattr(other, what) for run, other in pairs]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def by_coding_ms(measured: list[Measured], coding: str) -> float | None:
    """None when no file is coded so."""
    parts = [run.by_coding[coding] for run in measured]
    if not parts[0]["images"]:
        return None
    return 1000 * statistics.median(part["cpu_s"] / part["images"] for part in parts)


def scored(runs: Runs, images: ImageSet, plan: Plan) -> dict:
    """Peers leave colours as they are; ours is compared with sRGB where it converts."""
    colour = ["--convert-colour"] if plan.convert_colour and isinstance(runs.candidate, Ours) else []
    command = [
        sys.executable, QUALITY_PROGRAM, "--originals", images.folder, "--variants", runs.kept,
        "--cache", plan.scratch / "references" / images.name, *colour,
    ]
    say(f"{images.name}: scoring {runs.candidate.name}")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # 1: some are wrong
    if not done.stdout:
        raise BadVariants(f"the variants of {runs.candidate.name} could not be scored")
    found = json.loads(done.stdout)
    for wrong in found["wrong"]:
        raise BadVariants(f"{runs.candidate.name}: {wrong['variant']} of {wrong['file']}: {wrong['wrong']}")
    return found["variants"]
