"""Tables of what the benchmarks of whole stages have found.

They are `cargo bench -p end-to-end --bench stage`, alone and with `stages=all`, and bench/run.py.
"""

import statistics

from report import MIB, measured_on, table

MILLION = 1_000_000
# An assumption, of the size of what clouds ask for a core on demand; nothing was measured in a cloud.
DOLLARS_AN_HOUR = 0.04
SERVERS = ("postgres_cpu_s", "queue_cpu_s", "s3_server_cpu_s")


def stage_markdown(results: dict) -> str:
    """Normalize in rounds, beside its computation."""
    header = (
        "round", "computation, images/s", "stage, images/s", "share", "CPU of the service, ms/image",
        "of all servers", "peak MiB",
    )
    images, rounds = results["images"], results["found"]["rounds"]
    rows = [
        (
            str(number), f"{images / one['computation_wall_s']:.1f}", f"{images / one['stage']['wall_s']:.1f}",
            percent(one["share"]), f"{1000 * one['stage']['service_cpu_s'] / images:.1f}",
            f"{1000 * of_servers(one['stage']) / images:.1f}", f"{one['stage']['peak_bytes'] / MIB:.0f}",
        )
        for number, one in enumerate(rounds, start=1)
    ]
    share = statistics.median(one["share"] for one in rounds)
    return f"{pictures(results)}\n\n{table(header, rows)}\n\nMedian: {percent(share)}."


def memory_markdown(results: dict) -> str:
    """What the normalize service and its workers held, as images passed."""
    header = ("round", *(f"until {mark['images']:,}" for mark in highest(results)[0]))
    rows = [
        (str(number), *(f"{mark['bytes'] / MIB:.0f}" for mark in marks))
        for number, marks in enumerate(highest(results), start=1)
    ]
    return f"{pictures(results)} The most resident MiB, each since the mark before:\n\n{table(header, rows)}"


def highest(results: dict) -> list[list[dict]]:
    return [one["stage"]["highest_until"] for one in results["found"]["rounds"]]


def stages_markdown(results: dict) -> str:
    """The four stages after one another, and what a million images would take."""
    header = (
        "stage", "images/s", "its computation alone", "CPU of the service, ms/image", "PostgreSQL", "queue",
        "S3 server", "peak MiB",
    )
    images = results["images"]
    rows = [stage_row(one, images) for one in results["found"]["stages"]]
    return f"{pictures(results)}\n\n{table(header, rows)}\n\n{cost(results)}"


def stage_row(one: dict, images: int) -> list[str]:
    service, alone = one["service"], one["computation_wall_s"]
    each = [f"{1000 * service[what] / images:.2f}" for what in ("service_cpu_s", *SERVERS)]
    limit = f"{images / alone:.1f} ({percent(alone / service['wall_s'])})" if alone else ""
    return [
        one["stage"], f"{images / service['wall_s']:.1f}", limit, *each, f"{service['peak_bytes'] / MIB:.0f}"
    ]


def cost(results: dict) -> str:
    header = ("a million images", "CPU hours of the service", "of PostgreSQL, queue and S3 server", "dollars")
    found = [(one["stage"], *hours(one["service"], results["images"])) for one in results["found"]["stages"]]
    found.append(("all", sum(service for _, service, _ in found), sum(servers for *_, servers in found)))
    rows = [
        (stage, f"{service:.2f}", f"{servers:.2f}", f"{(service + servers) * DOLLARS_AN_HOUR:.2f}")
        for stage, service, servers in found
    ]
    return (
        f"{table(header, rows)}\n\nDollars are an example: {DOLLARS_AN_HOUR:.2f} for the hour of one CPU is "
        "assumed, nothing was run in a cloud, and requests, storage and traffic are not in it. The S3 server and "
        "the queue are the local ones."
    )


def hours(service: dict, images: int) -> tuple[float, float]:
    """Of the service and of the servers, for a million images."""
    return tuple(
        seconds / images * MILLION / 3600 for seconds in (service["service_cpu_s"], of_servers(service))
    )


def of_servers(service: dict) -> float:
    return sum(service[what] for what in SERVERS)


def pictures(results: dict) -> str:
    threads, slots = results["threads"], results["slots"]
    return (
        f"{results['images']:,} images, {results['bytes'] / 1e6:,.0f} MB, made of those in "
        f"`{results['input_name']}`; {threads} thread{'s' if threads > 1 else ''}, {slots or 'the usual'} slots, "
        f"isolation `{results['isolation']}`."
    )


def run_markdown(results: dict) -> str:
    """`imageml run` beside its computations, milliseconds an image."""
    header = (
        "round", "inspect, ms", "normalize, ms", "`imageml run`, ms", "images/s", "share", "CPU: both",
        "CPU: `imageml run`", "share of CPU", "peak MiB",
    )
    rows = [run_row(number, one) for number, one in enumerate(results["rounds"], start=1)]
    threads = results["threads"]
    return (
        f"{measured_on(results['environment'], [])} {results['images']:,} images, "
        f"{results['bytes'] / 1e6:,.0f} MB, made of those in `{results['input']}`; "
        f"{threads} thread{'s' if threads > 1 else ''}; milliseconds an image.\n\n{table(header, rows)}\n\n"
        f"Median: {percent(results['wall_share'])} of the computations' throughput; of the CPU time "
        f"{percent(results['cpu_share'])} are theirs."
    )


def run_row(number: int, one: dict) -> list[str]:
    whole = one["run"]
    alone = sum(one[what]["cpu_ms"] for what in ("inspect", "normalize"))
    return [
        str(number), *(f"{one[what]['wall_ms']:.1f}" for what in ("inspect", "normalize", "run")),
        f"{1000 / whole['wall_ms']:.1f}", percent(one["wall_share"]), f"{alone:.1f}", f"{whole['cpu_ms']:.1f}",
        percent(one["cpu_share"]), f"{whole['peak_rss_bytes'] / MIB:.0f}",
    ]


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"
