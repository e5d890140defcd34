"""Tables of how costs grow, and of the stores' and the engine's own costs.

They are `cargo bench -p manifest-store --bench growth` and `--bench claims`, and `cargo bench -p pipeline
--bench engine`.
"""

from report import MIB, table


def store_markdown(results: dict) -> str:
    """Calls a second by size of the store, and the database's CPU time for each."""
    sizes = results["sizes"]
    heads = [f"{size['entries']:,}" for size in sizes]
    rates = by_call(sizes, lambda call: quantity(call["calls"] / call["wall_s"]))
    server = by_call(sizes, lambda call: quantity(1000 * call["server_cpu_s"] / call["calls"]))
    held = ", ".join(
        f"{size['bytes'] / MIB:,.0f} MiB with {size['entries']:,} "
        f"({size['bytes'] / size['entries']:,.0f} bytes each)"
        for size in sizes
    )
    return "\n\n".join([
        "Calls a second, by manifest entries in the store:", table(["", *heads], rates),
        "CPU time of PostgreSQL, ms a call:", table(["", *heads], server), f"The database takes {held}.",
    ])


def by_call(sizes: list[dict], shown) -> list[list[str]]:
    names = [call["name"] for call in sizes[0]["calls"]]
    return [
        [name, *(shown(size["calls"][place]) for size in sizes)] for place, name in enumerate(names)
    ]


def quantity(value: float) -> str:
    """With about three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def claims_markdown(results: dict) -> str:
    header = ("batch", "workers", "objects/s", "client's CPU, ms/object", "PostgreSQL's CPU, ms/object")
    parts = []
    for one in results["tables"]:
        rows = [
            (
                str(line["batch"]), str(line["workers"]), f"{line['objects'] / line['wall_s']:,.0f}",
                *(f"{1000 * line[what] / line['objects']:.2f}" for what in ("client_cpu_s", "server_cpu_s")),
            )
            for line in one["lines"]
        ]
        parts += [f"{one['server']}:", table(header, rows)]
    return "\n\n".join(parts)


def engine_markdown(results: dict) -> str:
    """By slots."""
    return (
        f"Objects in the memory of the process:\n\n{engine_table(results['memory'])}\n\n"
        f"Objects in an S3 server:\n\n{engine_table(results['s3'])}"
    )


def engine_growth_markdown(results: dict) -> str:
    """By numbers of objects."""
    return engine_table(results["growth"])


def engine_table(lines: list[dict]) -> str:
    header = (
        "slots", "objects", "objects/s", "engine, ms of CPU an object", "of it not in the kernel", "PostgreSQL",
        "queue", "S3 server", "MiB that it grew by",
    )
    whats = ("engine_cpu_s", "engine_user_cpu_s", "postgres_cpu_s", "queue_cpu_s", "s3_server_cpu_s")
    rows = [
        (
            str(line["slots"]), f"{line['objects']:,}", f"{line['objects'] / line['wall_s']:,.0f}",
            *(f"{1000 * line[what] / line['objects']:.2f}" for what in whats),
            f"{line['memory_grown_bytes'] / MIB:,.0f}",
        )
        for line in lines
    ]
    return table(header, rows)
