"""A withdrawal between its form and its review: carried in the address of the page, signed for one member.

So the review can be left, reloaded and come back to, in any number of tabs, and nothing is kept for those never sent.
"""

from dataclasses import astuple, dataclass, fields
from datetime import timedelta
from typing import Final

from django.core import signing

from accounts.models import Member
from portal.core.secrets.sealing import token

SALT: Final = "portal.treasury.forms.drafts"
LIFE: Final = timedelta(hours=1)
NAME_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed. `name` tells this review from the next one that looks the same.

    `fee` is what the network took then: all that is asked with this draft allows so much and no more (DESIGN K7).
    """

    name: str
    account_id: int
    address_id: int
    amount: str
    note: str
    fee: str


def new_draft(*, account_id: int, address_id: int, amount: str, note: str, fee: str) -> Draft:
    """A draft with a name of its own, by which it leads to one withdrawal however often it is sent."""
    return Draft(token(NAME_LENGTH), account_id, address_id, amount, note, fee)


def pack(draft: Draft, member: Member) -> str:
    """The draft as part of an address."""
    return signing.dumps([member.pk, *astuple(draft)], salt=SALT, compress=True)


def unpack(text: str, member: Member) -> Draft | None:
    """The draft that `pack` made for this member within the hour; None for anything else."""
    try:
        member_id, *values = signing.loads(text, salt=SALT, max_age=LIFE)
    except signing.BadSignature:
        return None
    is_ours = member_id == member.pk and len(values) == len(fields(Draft))
    return Draft(*values) if is_ours else None
