"""What was promised of speed, cost and memory, and how it is read from what was found."""

from collections.abc import Callable
from dataclasses import dataclass

from report import MIB

# 256 MiB and one and a half times what decoding may hold at once, by default.
BUDGET_MIB = 256 + 1.5 * 768


@dataclass(frozen=True)
class Wanted:
    """A figure of one part of the benchmarks: its least, or its most."""

    what: str
    part: str
    seen: Callable[[dict], float | None]
    least: float | None = None
    most: float | None = None
    form: str = "{:.2f} ×"

    def wish(self) -> str:
        bound, limit = ("at least", self.least) if self.most is None else ("at most", self.most)
        return f"{bound} {self.form.format(limit)}"

    def verdict(self, results: dict) -> str | None:
        """Nothing where the benchmark ran without what this is about, such as these pictures or that peer."""
        seen = self.seen(results)
        if seen is None:
            return None
        kept = seen >= self.least if self.most is None else seen <= self.most
        shown = self.form.format(seen)
        return f"**{shown}**" if kept else f"{shown}: missed"


def candidates(results: dict, images: str, *names: str) -> list[dict]:
    """Those on these pictures that ran, each once for every number of threads."""
    sets = [found for found in results["sets"] if found["name"] == images]
    ones = [one for found in sets for ones in found["threads"].values() for one in ones]
    return [one for one in ones if "cpu_ratio" in one and any(one["name"].startswith(name) for name in names)]


def against(images: str, *names: str) -> Callable[[dict], float | None]:
    """How many times ours the best of them takes: the least of CPU and wall time, with one thread and two."""
    return lambda results: min(
        (
            one[what]["median"]
            for one in candidates(results, images, *names) for what in ("cpu_ratio", "wall_ratio")
        ),
        default=None,
    )


def over(images: str, name: str) -> Callable[[dict], float | None]:
    """How many times its CPU time ours is, with one thread or two: the most."""
    return lambda results: max(
        (1 / one["cpu_ratio"]["median"] for one in candidates(results, images, name)), default=None
    )


def ssim_against(images: str, name: str) -> Callable[[dict], float | None]:
    """The least difference over all variants."""

    def least(results: dict) -> float | None:
        both = (candidates(results, images, who) for who in ("imageml", name))
        ours, its = ([one for one in ones if "quality" in one] for ones in both)
        if not ours or not its:
            return None
        scores = ours[0]["quality"].items()
        return min(score["ssim"] - its[0]["quality"][variant]["ssim"] for variant, score in scores)

    return least


def packer(name: str, what: str) -> Callable[[dict], float | None]:
    """Ours to its."""
    return lambda results: next(
        (one[what]["median"] for one in results["packers"] if one["name"] == name and what in one), None
    )


def client(size: str, direction: str, peer: str = "s5cmd") -> Callable[[dict], float | None]:
    """Ours to its: the most of CPU and wall time."""
    return lambda results: max(
        (
            one[what]["median"]
            for found in results["classes"] if found["name"] == size
            for one in found[direction] if one["name"] == peer
            for what in ("cpu_ratio", "wall_ratio")
        ),
        default=None,
    )


def in_batches(results: dict) -> float | None:
    """Objects a second by two workers, on the first server: the one that syncs."""
    lines = results["tables"][0]["lines"]
    found = (line for line in lines if (line["batch"], line["workers"]) == (64, 2))
    return next((line["objects"] / line["wall_s"] for line in found), None)


def most_memory(results: dict) -> float:
    return max(one["stage"]["peak_bytes"] for one in results["found"]["rounds"]) / MIB


def grown_memory(results: dict) -> float:
    """What the service held at most over the second half of all images, to what it did before."""
    def growth(marks: list[dict]) -> float:
        return marks[-1]["bytes"] / max(mark["bytes"] for mark in marks[:-1])

    return max(growth(one["stage"]["highest_until"]) for one in results["found"]["rounds"])


def median_share(results: dict) -> float:
    shares = sorted(one["share"] for one in results["found"]["rounds"])
    return 100 * shares[len(shares) // 2]


def dearest(results: dict) -> float:
    """The most CPU time of the engine for an object, by numbers of slots, in ms."""
    return max(1000 * line["engine_cpu_s"] / line["objects"] for line in results["memory"])


PHOTOS, WEB = "photos", "raccoon"
BATCHES = "claims and publications in batches of 64 by 2 workers, PostgreSQL that syncs"
WANTED = [
    Wanted(
        "photographs, CPU and wall, 1 and 2 threads: pyvips `thumbnail` per variant to ours",
        "images", against(PHOTOS, "pyvips-thumbnail"), 3.5,
    ),
    Wanted(
        "… the best pyvips pipeline that decodes once",
        "images", against(PHOTOS, "pyvips-once", "pyvips-cascade"), 1.7,
    ),
    Wanted("… the best OpenCV pipeline, at better SSIM", "images", against(PHOTOS, "opencv"), 1.4),
    Wanted("… Pillow with draft mode", "images", against(PHOTOS, "pillow"), 2.5),
    Wanted("… img2dataset", "images", against(PHOTOS, "img2dataset"), 5),
    Wanted("… Daft", "images", against(PHOTOS, "daft"), 5),
    Wanted(
        "… CPU: ours to libjpeg-turbo alone (one decode, three encodes)",
        "images", over(PHOTOS, "floor"), most=1.2,
    ),
    Wanted(
        "… CPU: ours to ours without isolation of decoders",
        "images", over(PHOTOS, "imageml-in-process"), most=1.05,
    ),
    Wanted(
        "… SSIM less that of pyvips `thumbnail`, at worst",
        "images", ssim_against(PHOTOS, "pyvips-thumbnail"), -0.002, form="{:+.4f}",
    ),
    Wanted(
        "web-sized pictures, CPU and wall, 1 and 2 threads: pyvips `thumbnail` per variant to ours",
        "images", against(WEB, "pyvips-thumbnail"), 3.8,
    ),
    Wanted("… the best OpenCV pipeline for these", "images", against(WEB, "opencv"), 1.5),
    Wanted(
        "… CPU: ours to ours without isolation of decoders",
        "images", over(WEB, "imageml-in-process"), most=1.05,
    ),
    Wanted(
        "the whole normalize stage, of its computation alone",
        "stage", median_share, 90, form="{:.1f} %",
    ),
    Wanted(
        "`imageml run`, of its computations alone",
        "run", lambda results: 100 * results["wall_share"], 85, form="{:.1f} %",
    ),
    Wanted(
        "memory of the normalize service and its workers",
        "memory", most_memory, most=BUDGET_MIB, form="{:,.0f} MiB",
    ),
    Wanted("… over the second half of all images, to the first", "memory", grown_memory, most=1.05),
    Wanted(
        "tar shards, CPU: WebDataset's `ShardWriter` to ours",
        "shards", lambda results: inverse(packer("webdataset", "cpu_ratio")(results)), 4,
    ),
    Wanted(
        "… wall time: ours to a plain copy of the bytes",
        "shards", packer("copy", "wall_ratio"), most=1.3,
    ),
    Wanted(
        "S3 client, CPU and wall: ours to s5cmd, small objects up",
        "transfers", client("small", "up"), most=1,
    ),
    Wanted("… small objects down", "transfers", client("small", "down"), most=1),
    Wanted("… large objects up", "transfers", client("large", "up"), most=1),
    Wanted("… large objects down", "transfers", client("large", "down"), most=1),
    Wanted(
        "… large objects down, s5cmd with the SHA-256 that ours takes",
        "transfers", client("large", "down", "s5cmd-sha256"), most=1,
    ),
    Wanted(BATCHES, "claims", in_batches, 2000, form="{:,.0f} objects a second"),
    Wanted(
        "CPU of the engine for an object, without S3 and pixels, at worst",
        "engine", dearest, most=3, form="{:.1f} ms",
    ),
]


def inverse(ratio: float | None) -> float | None:
    return None if ratio is None else 1 / ratio
