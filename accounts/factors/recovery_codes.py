"""Recovery codes: ten ways in for a day without any factor, each once (security F-7)."""

import re
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.factors import trust
from accounts.models import Member, RecoveryCode, User
from portal.core.secrets.sealing import ALPHABET, digest, token

NUMBER: Final = 10
# 24 letters of 5 bits: 120 bits that nobody guesses, so that a plain SHA-256 keeps them.
LENGTH: Final = 24
GROUP: Final = 6
SHAPE: Final = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}", re.ASCII)


@transaction.atomic
def issue(user: User, places: Sequence[Member] | None = None) -> list[str]:
    """Ten new codes in groups of six letters, to be shown once; those of before are dead.

    They open these places of the person, or all that there are; elsewhere the codes of before go on.
    """
    here = list(Member.objects.filter(user=user, removed_at=None)) if places is None else list(places)
    for old in RecoveryCode.objects.filter(places__in=here).distinct():
        trust.end(old, here)
    codes = [token(LENGTH) for _ in range(NUMBER)]
    now = timezone.now()
    made = RecoveryCode.objects.bulk_create(
        [RecoveryCode(user=user, digest=digest(code), created_at=now) for code in codes]
    )
    links = RecoveryCode.places.through
    links.objects.bulk_create([links(recoverycode=code, member=place) for code in made for place in here])
    return ["-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP)) for code in codes]


def use(user: User, code: str) -> RecoveryCode | None:
    """Spend a code and return it, in capitals or not, with or without its dashes.

    Each passes once, however many try at a time.
    """
    plain = re.sub(r"[\s-]", "", code[:80]).upper()
    if not SHAPE.fullmatch(plain):
        return None
    with transaction.atomic():
        row = _of(user).select_for_update().filter(digest=digest(plain)).first()
        if row is None or row.used_at is not None:
            return None
        row.used_at = timezone.now()
        row.save(update_fields=["used_at"])
    return row


def remaining(member: Member) -> int:
    """How many codes still open this place."""
    return RecoveryCode.objects.filter(places=member, used_at=None).count()


def _of(user: User) -> QuerySet[RecoveryCode]:
    return RecoveryCode.objects.filter(user=user)
