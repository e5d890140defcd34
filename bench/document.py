#!/usr/bin/env python3
"""Writes what the benchmarks have found into docs/benchmarks.md.

    bench/document.py [--results target/bench] [--document docs/benchmarks.md]

What stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->` is replaced by what NAME.json says (or
NAME.md, as it is); a part without results keeps its text, and so does everything outside. The part `wanted`
is the table of what was promised: its rows are bench/wanted.py's, and a row that no result speaks of keeps
what it says.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import growth_report
import report
import shards_report
import stages_report
import transfers_report
from wanted import WANTED

ROOT = Path(__file__).resolve().parent.parent
SUMMARY = "wanted"


def with_origin(markdown: Callable[[dict], str]) -> Callable[[dict], str]:
    """Before tables that do not say themselves where and when they were made."""
    return lambda results: f"{report.measured_on(results['environment'], [])}\n\n{markdown(results)}"


PARTS: dict[str, Callable[[dict], str]] = {
    "images": report.markdown,
    "transfers": transfers_report.markdown,
    "shards": shards_report.markdown,
    "run": stages_report.run_markdown,
    "stage": with_origin(stages_report.stage_markdown),
    "stages": with_origin(stages_report.stages_markdown),
    "memory": with_origin(stages_report.memory_markdown),
    "claims": with_origin(growth_report.claims_markdown),
    "growth": with_origin(growth_report.store_markdown),
    "engine": with_origin(growth_report.engine_markdown),
    "engine-growth": with_origin(growth_report.engine_growth_markdown),
}


class BadDocument(Exception):
    """A part has no place in the document."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=ROOT / "target/bench", metavar="DIR")
    parser.add_argument("--document", type=Path, default=ROOT / "docs/benchmarks.md", metavar="FILE")
    asked = parser.parse_args()
    found = {path.stem: json.loads(path.read_text()) for path in sorted(asked.results.glob("*.json"))}
    texts = {path.stem: path.read_text().strip() for path in sorted(asked.results.glob("*.md"))}
    texts |= {part: PARTS[part](results) for part, results in found.items() if part in PARTS}
    document = asked.document.read_text()
    try:
        for part, text in texts.items():
            document = replaced(document, part, text)
        document = replaced(document, SUMMARY, summary(document, found))
    except BadDocument as error:
        sys.exit(f"error: {asked.document}: {error}")
    asked.document.write_text(document)


def replaced(document: str, part: str, text: str) -> str:
    before, _, after = split(document, part)
    return f"{before}\n{text}\n{after}"


def split(document: str, part: str) -> tuple[str, str, str]:
    """What is before, between and after the marks of a part."""
    begin, end = (f"<!-- {mark}: {part} -->" for mark in ("begin", "end"))
    if not re.search(f"{re.escape(begin)}.*{re.escape(end)}", document, re.DOTALL):
        raise BadDocument(f"there is no {begin} with {end} after it")
    before, _, rest = document.partition(begin)
    between, _, after = rest.partition(end)
    return before + begin, between, end + after


def summary(document: str, found: dict[str, dict]) -> str:
    said = rows(split(document, SUMMARY)[1])
    lines = []
    for wanted in WANTED:
        seen = wanted.verdict(found[wanted.part]) if wanted.part in found else None
        lines.append((wanted.what, wanted.wish(), seen or said.get(wanted.what, "")))
    return report.table(("", "wanted", "seen"), lines)


def rows(table: str) -> dict[str, str]:
    """What a table says in its last column, by its first."""
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    return {line[0]: line[-1] for line in cells if line}


if __name__ == "__main__":
    main()
