"""Requests about groups in words: who comes in and who goes out, by name, and what asks for the group."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from policies import payload, registry
from policies.groups import asks_for
from policies.operations.group_params import ChangeGroup, CreateGroup, RemoveGroup
from policies.operations.group_rosters import names, read_names
from policies.snapshot import gather
from portal.core.display.descriptions import Description, Fact, FieldChange, Notice
from portal.core.display.phrases import counted, listed

if TYPE_CHECKING:
    from policies.groups import Asks
    from policies.models import ChangeRequest

# More of them are counted in the sentence; all stand below it.
NAMED: Final = 3
NOBODY: Final = "nobody"
NOTHING_ASKS: Final = "no policy; being in it gives nothing yet"


def listing(change: "ChangeRequest", members: Iterable[int]) -> str:
    """These Members by name, in one line."""
    return ", ".join(names(change, members).values()) or NOBODY


def read_ahead(changes: "Sequence[ChangeRequest]") -> None:
    """Read together the names that these requests say."""
    wanted: set[int] = set()
    for change in changes:
        wanted |= _named(payload.decode(registry.get(change.operation).params, change.params))
    read_names(changes[0], wanted)


def describe_new(change: "ChangeRequest") -> Description:
    """The request for a group, with who would be in it."""
    params = payload.decode(CreateGroup, change.params)
    called = names(change, params.members)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to create the group <b>{}</b> of {}. It gives them nothing until a rule asks for it.",
            change.initiator_label,
            params.name,
            counted(len(called), "member"),
        ),
        facts=(Fact("Group", params.name), Fact("Members", ", ".join(called.values()))),
        panel=(
            Fact("Create the group", params.name),
            Fact("Members", ", ".join(called.values())),
            Fact("Asked by", change.initiator_label),
        ),
        changes=tuple(_in(name) for name in called.values()),
    )


def describe_change(change: "ChangeRequest") -> Description:
    """What changes in the group, member by member, and what asks for it now."""
    params = payload.decode(ChangeGroup, change.params)
    called = names(change, {*params.before.members, *params.after.members})
    asks = _asks(change, params.group_id)
    joining = [name for pk, name in called.items() if pk in params.joining]
    leaving = [name for pk, name in called.items() if pk in params.leaving]
    fields = [FieldChange("Name", params.before.name, params.after.name)] if params.is_renamed else []
    fields += [_in(name, grows=bool(asks)) for name in joining]
    fields += [FieldChange(name, "in the group", "not in it") for name in leaving]
    then = ", ".join(name for pk, name in called.items() if pk in params.after.members)
    panel = [Fact("Change the group", params.before.name)]
    panel += [Fact("Name then", params.after.name)] if params.is_renamed else []
    panel += [Fact("Join", ", ".join(joining))] if joining else []
    panel += [Fact("Leave", ", ".join(leaving))] if leaving else []
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to change the group <b>{}</b>: {}.",
            change.initiator_label,
            params.before.name,
            format_html_join(", ", "{}", ((clause,) for clause in _clauses(params, joining, leaving))),
        ),
        facts=(
            Fact("Group", params.before.name),
            *([Fact("In it then", then or NOBODY)] if params.moving else []),
            *_asked_by(change, asks),
        ),
        panel=(*panel, Fact("Asked by", change.initiator_label)),
        changes=tuple(fields),
        notices=_shifted(params, asks) if asks else (),
    )


def describe_removal(change: "ChangeRequest") -> Description:
    """The request in words, with who was in it when it was asked."""
    params = payload.decode(RemoveGroup, change.params)
    members = listing(change, params.seen.members)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to remove the group <b>{}</b>. No policy asks for it. Its members stay members, with the "
            "rights that they have.",
            change.initiator_label,
            params.seen.name,
        ),
        facts=(Fact("Group", params.seen.name), Fact("In it when asked", members)),
        panel=(
            Fact("Remove the group", params.seen.name),
            Fact("In it when asked", members),
            Fact("Asked by", change.initiator_label),
        ),
    )


def _named(params: object) -> set[int]:
    match params:
        case CreateGroup():
            return {*params.members}
        case ChangeGroup():
            return {*params.before.members, *params.after.members}
        case RemoveGroup():
            return {*params.seen.members}
    return set()


def _clauses(params: ChangeGroup, joining: Sequence[str], leaving: Sequence[str]) -> Iterator[SafeString]:
    """What changes, so that who reads no further has understood it."""
    for names_moved, verb in ((joining, "join"), (leaving, "leave")):
        if names_moved:
            few = len(names_moved) <= NAMED
            who = listed(names_moved) if few else counted(len(names_moved), "member")
            yield format_html("<b>{}</b> {}", who, f"{verb}s" if len(names_moved) == 1 else verb)
    if params.is_renamed:
        yield format_html("it is called <b>{}</b>", params.after.name)


def _in(name: str, *, grows: bool = False) -> FieldChange:
    return FieldChange(name, "not in it", "in the group", grows=grows)


def _asks(change: "ChangeRequest", group_id: int) -> "tuple[Asks, ...]":
    """What asks for the group now; of a request that has ended there is no saying what did."""
    return asks_for(group_id, gather(change.organization).policies) if change.is_open else ()


def _asked_by(change: "ChangeRequest", asks: "tuple[Asks, ...]") -> tuple[Fact, ...]:
    if not change.is_open:
        return ()
    return (Fact("What asks for it", "; ".join(each.words for each in asks) or NOTHING_ASKS),)


def _shifted(params: ChangeGroup, asks: "tuple[Asks, ...]") -> tuple[Notice, ...]:
    if not params.moving:
        return ()
    where = "; ".join(each.workflow.title for each in asks)
    title = "This gives people power." if params.joining else "This takes power away."
    return (Notice("wait", title, f"Who is in this group gives the approvals that a rule asks of it: {where}."),)
