"""Interleaved rounds of candidates that differ in what they run alone, and what their runs come to."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from rounds import ratio, say


@dataclass(frozen=True)
class Trial:
    """What a run took, and what a server beside it took meanwhile."""

    cpu_s: float
    wall_s: float
    peak_rss_bytes: int
    server_cpu_s: float | None = None


@dataclass
class Trials:
    """One candidate's runs, by round."""

    name: str
    by_round: dict[int, Trial] = field(default_factory=dict)

    def median(self, what: str) -> float | None:
        found = [getattr(trial, what) for trial in self.by_round.values()]
        return None if None in found else statistics.median(found)

    def result(self, ours: "Trials") -> dict:
        """Times are medians, in seconds; ratios are ours to this one."""
        found = {
            "name": self.name,
            "rounds": [asdict(trial) for trial in self.by_round.values()],
            "peak_rss_bytes": max(trial.peak_rss_bytes for trial in self.by_round.values()),
        }
        found |= {what: self.median(what) for what in ("cpu_s", "wall_s", "server_cpu_s")}
        if self is not ours:
            found |= {"cpu_ratio": ratio(ours, self, "cpu_s"), "wall_ratio": ratio(ours, self, "wall_s")}
        return found


def interleaved(what: str, rounds: int, candidates: list, run: Callable[..., Trial]) -> list[dict]:
    """A result for each candidate. Ours is the first; `run` is given a candidate and the round's number.

    Round 0 is not counted: memory that a virtual machine has not used yet costs whoever uses it first.
    """
    found = [Trials(candidate.name) for candidate in candidates]
    for number in range(rounds + 1):
        for candidate, trials in zip(candidates, found, strict=True):
            trial = run(candidate, number)
            if number > 0:
                trials.by_round[number] = trial
            say(
                f"{what}, round {number}/{rounds}, {candidate.name}: "
                f"{trial.cpu_s:.2f} s CPU, {trial.wall_s:.2f} s wall"
            )
    return [trials.result(found[0]) for trials in found]
