"""Pages that are of another Organization of the same person: mail links, and what a colleague passed on (DESIGN M1)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from accounts.models import Member, ServiceUser
from policies.access import allows
from policies.inbox import queues
from policies.workflows import Right, Workflow
from portal.treasury.models import Withdrawal

# Which Organization a link of a mail is about, by number. It opens nothing: it only says where to look.
OF: Final = "of"
LONGEST_NUMBER: Final = 18


def home_of(reader: Member, route: str, named: Mapping[str, Any]) -> Member | None:
    """As whom the reader, signed in elsewhere, would find the page that this Organization does not have.

    None for a page that is nowhere, and for one that the reader could not look at there either.
    """
    return next((member for member in _others(reader) if _is_there(member, route, named)), None)


def named_home(reader: Member, number: str) -> Member | None:
    """As whom the reader goes on in the Organization of this number, if it is another one of theirs."""
    if not number.isdecimal() or len(number) > LONGEST_NUMBER:
        return None
    return next((member for member in _others(reader) if member.organization_id == int(number)), None)


def _others(reader: Member) -> list[Member]:
    mine = Member.objects.active().filter(user=reader.user).exclude(pk=reader.pk)
    return list(mine.select_related("organization", "user").order_by("pk"))


def _is_there(member: Member, route: str, named: Mapping[str, Any]) -> bool:
    look = FOUND_BY.get(route)
    return look is not None and look(member, named)


def _request(member: Member, named: Mapping[str, Any]) -> bool:
    return queues.visible(member).filter(reference=named["reference"]).exists()


def _member(member: Member, named: Mapping[str, Any]) -> bool:
    there = Member.objects.filter(pk=named["number"], organization=member.organization)
    return allows(member, Workflow.MANAGE_ACCESS, Right.VIEW) and there.exists()


def _bot(member: Member, named: Mapping[str, Any]) -> bool:
    there = ServiceUser.objects.filter(name=named["name"], organization=member.organization)
    return allows(member, Workflow.MANAGE_ACCESS, Right.VIEW) and there.exists()


def _withdrawal(member: Member, named: Mapping[str, Any]) -> bool:
    found = Withdrawal.objects.filter(organization=member.organization, reference=named["reference"]).first()
    return found is not None and queues.visible(member).filter(pk=found.change_id).exists()


FOUND_BY: Final[Mapping[str, Callable[[Member, Mapping[str, Any]], bool]]] = {
    "policies:request": _request,
    "policies:ask_again": _request,
    "accounts:member": _member,
    "accounts:service_user": _bot,
    "treasury:withdrawal": _withdrawal,
}
