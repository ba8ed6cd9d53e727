"""docs/performance.md: figures come from the run, and stand between marks; what they mean is written there by hand."""

import os
import platform
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import django
import granian
import psycopg

from benchmarks.contest.ratios import cost, median
from benchmarks.found import Found
from benchmarks.ground.servers import PORTAL, THREADS, WORKERS
from benchmarks.report.table import Table
from benchmarks.report.tables import EIGHT, ONE, tables

BLOCK: Final = re.compile(r"(<!-- measured: ([\w ]+) -->\n)(?:(?!<!-- ).*\n)*(<!-- /measured -->)")


def write(path: Path, found: Found) -> None:
    """Put the figures of this run between the marks of that document. Raises: KeyError for a mark that says nothing."""
    blocks = {table.name: table.in_markdown() for table in tables(found)}
    blocks |= {"machine": _machine(found), "sizes": _sizes(found).in_markdown()}
    text = path.read_text(encoding="utf-8")
    path.write_text(filled(text, blocks), encoding="utf-8")


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """The text with each block between its marks. Raises: KeyError."""
    put: Callable[[re.Match[str]], str] = lambda match: f"{match[1]}\n{blocks[match[2]].strip()}\n\n{match[3]}"  # noqa: E731
    return BLOCK.sub(put, text)


def _machine(found: Found) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"On {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({_processor()}), {memory:.0f} GB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, Django {django.__version__}, "
        f"psycopg {psycopg.__version__}, granian {granian.__version__}, PostgreSQL {found.postgresql} with `fsync` on. "
        f"{found.options.keys:,} keys, six balances each; {WORKERS} processes of {THREADS} threads for the portal and "
        f"for each peer; {found.options.rounds} rounds of {found.options.seconds:g} s for each in each contest. "
        f"The load came from the same machine, which did {found.load:.1f} other things at once when the run began."
    )


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _sizes(found: Found) -> Table:
    table = Table(
        "sizes", "What one core answers in a second, the database's share of the work included", ["", "calls"]
    )
    for what, title, name in (
        ("`Balance`", EIGHT, PORTAL),
        ("`AddOrder`, an order that rests", "AddOrder", ONE),
        ("`Withdraw`, waiting for an approval", "Withdraw, with a policy", ONE),
    ):
        table.rows.append([what, f"{1 / median(cost, found.readings[title][name]):,.0f}"])
    return table
