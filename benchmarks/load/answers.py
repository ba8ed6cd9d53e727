"""What a right answer looks like. Whoever is quick because it refuses or answers somebody else is found out here."""

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.load.generator import Check
from benchmarks.load.wires import BadAnswer


def giving(expected: Mapping[str, str]) -> Check:
    """An envelope without an error and with exactly this result."""

    def check(got: bytes) -> None:
        if result(got) != expected:
            raise BadAnswer(f"{_shown(got)} where {expected} was due")

    return check


def holding(name: str) -> Check:
    """An envelope without an error whose result has something under `name`."""

    def check(got: bytes) -> None:
        if not result(got).get(name):
            raise BadAnswer(f"no {name} in {_shown(got)}")

    return check


def rising(name: str) -> Check:
    """An envelope whose result has under `name` a higher number each time: each call counts, and counts once."""
    last = 0

    def check(got: bytes) -> None:
        nonlocal last
        number = result(got)[name]
        if number <= last:
            raise BadAnswer(f"{name} is {number} after {last}")
        last = number

    return check


def result(got: bytes) -> dict[str, Any]:
    """The result in an envelope. Raises: BadAnswer for an error, or for what is none."""
    try:
        envelope = json.loads(got)
        if envelope["error"] == []:
            found: dict[str, Any] = envelope["result"]
            return found
    except (ValueError, KeyError, TypeError) as error:
        raise BadAnswer(f"no envelope: {_shown(got)}") from error
    raise BadAnswer(f"refused: {_shown(got)}")


def _shown(body: bytes) -> str:
    return body[:200].decode(errors="replace")
