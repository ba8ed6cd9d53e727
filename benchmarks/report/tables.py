"""The tables of one run."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from benchmarks.contest.ratios import Figure, cost, database_cost, median, quantile, rate, ratio, thrift
from benchmarks.contest.readings import Reading
from benchmarks.found import Found
from benchmarks.ground.servers import BY_WSGI, DURABLE, PEERS, PORTAL
from benchmarks.ratio import Ratio
from benchmarks.report.table import Table

NAMES: Final = {
    "b": "b: a bare view, one SELECT",
    "c": "c: a bare view, one UPDATE … RETURNING",
    "d": "d: Django REST framework, API keys",
    "g": "g: the same checks, written plainly",
    "hw": "hw: the quickest we know, before Django",
}
# What the portal is meant to reach beside each peer, over eight connections.
GOALS: Final = {"b": 1.2, "c": 2.0, "d": 4.5, "g": 9.0, "hw": 0.75}
EIGHT: Final = "Balance, 8 connections"
LISTS: Final = "Lists, 8 connections"
ONE: Final = "1 connection"
MEGA: Final = 1024 * 1024


def tables(found: Found) -> Iterator[Table]:
    """All there are, in the order in which they are read."""
    if found.readings:
        for title in found.readings:
            if title.startswith("Balance"):
                yield _beside(title, found.readings[title])
        yield _latency(found.readings[EIGHT])
        yield _lists(found)
        for title in ("AddOrder", "Withdraw, with a policy"):
            yield _layouts(title, found.readings[title])
        yield _exact(found)
        yield _memory(found)
        yield _growth(found)
    if found.alone:
        yield _alone(found.alone)
    if found.gateway:
        yield _gateway(found.gateway)


def _beside(title: str, readings: Mapping[str, Sequence[Reading]]) -> Table:
    goals = GOALS if title == EIGHT else {}
    header = ["beside", "as served", "by WSGI", "by WSGI, for each second of processor", "by WSGI, each on the disk"]
    table = Table(
        title.lower().replace(",", ""),
        f"{title}: how many times the calls of each peer",
        [*header, *(["goal"] if goals else [])],
    )
    for peer in PEERS:
        base = readings[peer]
        cells = [
            _cell(rate, readings[PORTAL], base), _cell(rate, readings[BY_WSGI], base),
            _cell(thrift, readings[BY_WSGI], base), _cell(rate, readings[DURABLE], base),
        ]  # fmt: skip
        table.rows.append([NAMES[peer], *cells, *([f"{goals[peer]:.2f}"] if goals else [])])
    return table


def _latency(readings: Mapping[str, Sequence[Reading]]) -> Table:
    table = Table(
        "latency", f"{EIGHT}: how long a call takes, as a ratio to c", ["", "half of them", "95 of 100", "99 of 100"],
        note="The goal for 99 of 100 is at most 1.25.",
    )  # fmt: skip
    for name in (PORTAL, BY_WSGI, DURABLE, *PEERS):
        cells = [_cell(quantile(share), readings[name], readings["c"]) for share in (0.5, 0.95, 0.99)]
        table.rows.append([NAMES.get(name, name), *cells])
    return table


def _lists(found: Found) -> Table:
    readings = found.readings[LISTS]
    table = Table(
        "lists", f"{LISTS}: how many times the calls of b, by WSGI", ["method", "calls", "calls a second of processor"]
    )
    for name, each in readings.items():
        if name != "b":
            table.rows.append([name, _cell(rate, each, readings["b"]), _cell(thrift, each, readings["b"])])
    return table


def _layouts(title: str, readings: Mapping[str, Sequence[Reading]]) -> Table:
    table = Table(
        title.partition(",")[0].lower(),
        f"{title}: how many times the calls over one connection",
        ["", "calls", "a call takes"],
    )
    base = readings[ONE]
    for name, each in readings.items():
        if name != ONE:
            table.rows.append([name, _cell(rate, each, base), _cell(quantile(0.5), each, base)])
    return table


def _exact(found: Found) -> Table:
    table = Table(
        "work", "Work of one call, exactly",
        ["", "statements", "functions", "bytecodes", "bytecodes of hw", "processor, µs", "the database's part"],
        note="Processor time is of server and database together, and depends on the machine: by WSGI for what reads, "
        "behind the door for what moves something.",
    )  # fmt: skip
    for name, each in found.counts.items():
        of_hw = each.bytecodes / found.counts["hw"].bytecodes
        counted = [str(each.statements), f"{each.functions:,}", f"{each.bytecodes:,}", f"{of_hw:.1f}"]
        table.rows.append([NAMES.get(name, name), *counted, *_microseconds(found, name)])
    behind = found.readings[EIGHT][PORTAL]
    table.rows.append(["Balance, behind the door", str(found.counts["Balance"].statements), "", "", "", *_of(behind)])
    return table


def _microseconds(found: Found, name: str) -> list[str]:
    """The processor time of such a call where it was measured; empty where it was only counted."""
    title, contestant = {
        "Balance": (EIGHT, BY_WSGI),
        "AddOrder": ("AddOrder", ONE),
        "Withdraw, with a policy": ("Withdraw, with a policy", ONE),
        **{peer: (EIGHT, peer) for peer in PEERS},
    }.get(name, (LISTS, name))
    return _of(found.readings[title].get(contestant))


def _of(readings: Sequence[Reading] | None) -> list[str]:
    return [f"{median(figure, readings) * 1e6:,.0f}" if readings else "" for figure in (cost, database_cost)]


def _memory(found: Found) -> Table:
    table = Table(
        "memory", "Memory of a process that answers, MB", ["", "idle", "its share", "after the run", "its share"],
        note="Its share counts what several processes hold together once.",
    )  # fmt: skip
    for name, idle in found.idle.items():
        cells = [f"{statistics.mean(each[place] for each in held) / MEGA:.0f}" for held in (idle, found.loaded[name])
                 for place in (0, 1) if held]  # fmt: skip
        table.rows.append([NAMES.get(name, name), *cells])
    return table


def _growth(found: Found) -> Table:
    table = Table(
        "growth", "What a call leaves in the database", ["", "rows", "kB with indexes", "GB a year at one a minute"]
    )
    for name, growth in found.growth.items():
        a_year = growth.bytes * 60 * 24 * 365 / 1e9
        table.rows.append([name, f"{sum(growth.rows.values()):.0f}", f"{growth.bytes / 1000:.1f}", f"{a_year:.1f}"])
    return table


def _alone(ratios: Sequence[Ratio]) -> Table:
    table = Table(
        "alone",
        "The portal beside itself: how many times the cost of the second the first takes",
        ["", "", "ratio", "ms of the first"],
        note="Milliseconds are processor time of the server, and depend on the machine; the goal is 60 for every page.",
    )
    for each in ratios:
        stated = f"{each.milliseconds:.0f}" if each.milliseconds is not None else ""
        table.rows.append([each.subject, each.base, _spread(each), stated])
    return table


def _gateway(ratios: Sequence[Ratio]) -> Table:
    table = Table(
        "gateway",
        "An Account at an exchange: how many times the cost of a call there the same takes through the gateway",
        ["", "ratio"],
        note="It asks the exchange itself, so what is below 1 is chance. What is worked is the processor time of both "
        "servers and their databases, which is the steadier figure.",
    )
    table.rows.extend([each.subject, _spread(each)] for each in ratios)
    return table


def _cell(figure: Figure, readings: Sequence[Reading], base: Sequence[Reading]) -> str:
    return _spread(ratio(figure, "", readings, "", base))


def _spread(found: Ratio) -> str:
    return f"{found.median:.2f} ({found.lowest:.2f} to {found.highest:.2f})"
