"""What a request says of itself on the pages where it is decided."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from django.utils.safestring import SafeString, mark_safe

from policies import payload, readability, registry
from policies import snapshot as gathering
from policies.models import ChangeRequest
from policies.rules import Facts, is_locked, locked_demand
from policies.rules.need_words import need_words
from policies.workflows import Workflow
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact, FieldChange, Notice
from portal.core.display.phrases import listed
from portal.core.errors import Refused

ALWAYS_SAID: Final = ("Asked by", "Digest")


def agreed(change: ChangeRequest, description: Description | None, *, in_full: bool = False) -> list[Fact]:
    """What one agrees to, said beside the buttons; whoever asked and the digest always are (security SU-3)."""
    said = (description.facts if in_full else description.panel) if description else ()
    values = (markup.visible(change.asked_by), markup.digest(change.digest, short=not in_full))
    always = (Fact(label, value) for label, value in zip(ALWAYS_SAID, values, strict=True))
    return [*(fact for fact in said if fact.label not in ALWAYS_SAID), *always]


def read_ahead(changes: Sequence[ChangeRequest]) -> None:
    """Read together what `described` would read of each of them, for a page that shows them all."""
    wanted: dict[Callable[[Sequence[ChangeRequest]], None], list[ChangeRequest]] = {}
    for change in changes:
        found = readability.read(change)
        if not isinstance(found, str) and found.entry.describes_ahead is not None:
            wanted.setdefault(found.entry.describes_ahead, []).append(change)
    for read, of_kind in wanted.items():
        read(of_kind)


def described(change: ChangeRequest) -> Description | None:
    """The request in words; None if it cannot be read, as an altered row or one of another version."""
    if readability.trouble(change):
        return None
    try:
        description = registry.get(change.operation).describe(change)
    except payload.Unreadable:
        return None
    if change.is_open:
        return description
    description = replace(description, sentence=_told(description.sentence))
    if description.changes or not change.touched:
        return description
    # What stood there then is gone; the request has kept it.
    fields = ((field["name"], field["then"], field["wanted"]) for field in change.touched)
    return replace(description, changes=tuple(FieldChange(*field) for field in fields if field[1] != field[2]))


def _told(sentence: SafeString) -> SafeString:
    """The sentence of a request that has ended: whoever asked does so no longer. A name is marked up, a verb is not."""
    return mark_safe(sentence.replace("</b> asks ", "</b> asked ", 1))  # noqa: S308 - a part of what was safe


def protection(change: ChangeRequest, facts: Facts) -> Notice | None:
    """Why a lock makes this need more, as long as it can still be decided (DESIGN P4)."""
    if not change.is_open or readability.trouble(change) or not gathering.asked(change, facts).protected:
        return None
    locked = [workflow.title for workflow in Workflow if is_locked(facts.policies, workflow)]
    try:
        needs = f"so it takes {need_words(locked_demand(facts.policies), facts.groups)} at least"
    except Refused as refused:
        needs = refused.message[:1].lower() + refused.message[1:].rstrip(".")
    verb = "is" if len(locked) == 1 else "are"
    title = f"Protected, because {listed(locked)} {verb} locked."
    return Notice("pen", title, f"It could undo what the lock holds, {needs}, and never runs at once.")
