"""The rules of a policy between the database, where they are JSON, and those who read them."""

import hashlib
from collections.abc import Sequence

import msgspec

from policies import payload
from policies.rules.language import Rule


def read_rules(stored: object) -> tuple[Rule, ...] | None:
    """The rules that a policy stores; None where they are not as this version writes them, and nobody believes them."""
    if not stored:
        return () if stored == [] else None
    try:
        rules = msgspec.convert(stored, tuple[Rule, ...])
    except msgspec.ValidationError:
        return None
    return rules if written_rules(rules) == stored else None


def written_rules(rules: Sequence[Rule]) -> list[dict[str, object]]:
    """As a policy stores them."""
    return [payload.encode(rule) for rule in rules]


def digest_of(rules: Sequence[Rule]) -> str:
    """SHA-256 of the rules, whatever order they are in, as 64 hexadecimal digits; of no rules nothing."""
    if not rules:
        return ""
    written = sorted(msgspec.json.encode(each, order="sorted") for each in written_rules(rules))
    return hashlib.sha256(b"\n".join(written)).hexdigest()
