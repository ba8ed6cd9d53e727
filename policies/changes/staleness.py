"""What a request would write, as it looked when it was asked, when it was overtaken, and as it is wanted (R6)."""

from typing import Any

from policies import readability
from policies.changes import transitions
from policies.models import OPEN_STATES, ChangeRequest, State
from policies.registry import Operation
from portal.core.actors import portal

# One field as JSON: its name, and in words what it was `then`, what it is `now`, and what is `wanted`.
Field = dict[str, str]


def asked(entry: Operation[Any], change: ChangeRequest, params: object) -> list[Field]:
    """The fields that a new request would write, as they look now; kept with it and covered by its digest."""
    return [
        {"name": field.name, "then": field.now, "wanted": field.wanted, "mark": field.mark or field.now}
        for field in entry.touches(params=params, change=change)
    ]


def overtaken(change: ChangeRequest, entry: Operation[Any], params: object) -> list[Field]:
    """The fields of an intact request with what they are `now`, if any is not what it was; else none."""
    if not change.touched:
        return []
    now = {field["name"]: field for field in asked(entry, change, params)}
    gone = {"then": "gone", "mark": ""}
    pairs = [(then, now.get(then["name"], gone)) for then in change.touched]
    if all(then["mark"] == is_now["mark"] for then, is_now in pairs):
        return []
    return [
        {"name": then["name"], "then": then["then"], "now": is_now["then"], "wanted": then["wanted"]}
        for then, is_now in pairs
    ]


def make_stale(change: ChangeRequest, fields: list[Field], *, first: ChangeRequest | None = None) -> None:
    """End a request whose fields were changed since it was asked; both versions stay with it."""
    names = ", ".join(field["name"] for field in fields if field["now"] != field["then"])
    by = f"Request {first.number} changed this first" if first else "This was changed since it was asked"
    change.overtaken = fields
    change.save(update_fields=["overtaken"])
    transitions.end(change, State.STALE, by=portal(change.organization_id), reason=f"{by}: {names}.")


def make_others_stale(first: ChangeRequest) -> int:
    """End every open request whose fields `first`, carried out just now, has changed; say how many those were.

    What was altered, or asked of another version of the portal and not readable any more, is left to be found by who
    decides on it: it stops none of the others. Money has no fields: it is held, not written over.
    """
    rows = ChangeRequest.objects.filter(organization=first.organization_id, state__in=OPEN_STATES)
    found = 0
    for change in rows.exclude(pk=first.pk).exclude(touched=[]).order_by("pk").with_parties().for_change():
        if change.is_past_its_time or not transitions.is_intact(change):
            continue
        read = readability.read(change)
        if isinstance(read, str):
            continue
        fields = overtaken(change, read.entry, read.params)
        if fields:
            make_stale(change, fields, first=first)
            found += 1
    return found
