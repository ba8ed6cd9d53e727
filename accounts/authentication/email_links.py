"""Links that travel by mail: random, kept as digests, good once and for a while (security SI-11, WB-8)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import AccessLink, Member, User
from accounts.models.invitation import LinkPurpose
from portal.core.errors import NotFound
from portal.core.secrets import sealing

TOKEN_LENGTH: Final = 32
VALID_FOR: Final = {LinkPurpose.RESET_PASSWORD: timedelta(hours=1), LinkPurpose.ENROL: timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Token:
    """160 random bits for a link, and the digest that is kept of them."""

    text: str = field(repr=False)
    digest: str


def new_token() -> Token:
    """A random token for a link, with the digest of it that alone is kept."""
    text = sealing.token(TOKEN_LENGTH)
    return Token(text=text, digest=sealing.digest(text))


def absolute(path: str, *, of: int | None = None) -> str:
    """The address of `path` as mail names it: from a setting, never from a request (security WB-8).

    `of` names the Organization that it is about: whoever is a member of two may be signed in at the other one.
    """
    return f"{settings.BASE_URL}{path}" + (f"?of={of}" if of else "")


def issue(user: User, purpose: LinkPurpose, *, member: Member | None = None) -> Token:
    """A new link for `user`; what they had for the same purpose is dead from now on. `member`: the place it is for."""
    now, made = timezone.now(), new_token()
    with transaction.atomic():
        kill(user, purpose, [member] if member else None)
        AccessLink.objects.create(
            user=user,
            member=member,
            purpose=purpose,
            token_digest=made.digest,
            created_at=now,
            expires_at=now + VALID_FOR[purpose],
        )
    return made


def kill(user: User, purpose: LinkPurpose, where: Iterable[Member] | None = None) -> None:
    """Let no link of that purpose work any more: what it was asked for has been done another way.

    With `where`, only those for these places.
    """
    found = AccessLink.objects.filter(user=user, purpose=purpose, used_at=None)
    if where is not None:
        found = found.filter(Q(member=None) | Q(member__in=list(where)))
    found.update(used_at=timezone.now())


def find(digest: str, purpose: LinkPurpose) -> AccessLink:
    """The link of that digest while it is good.

    Raises: NotFound if there is none, it was used, or its time is over.
    """
    links = AccessLink.objects.filter(
        token_digest=digest, purpose=purpose, used_at=None, expires_at__gt=timezone.now(), user__is_active=True
    )
    link = links.select_related("user", "member").first()
    if link is None:
        raise NotFound("This link was used, has been replaced by a newer one, or its time is over.")
    return link


def spend(link: AccessLink) -> None:
    """Use a link up, by one statement: exactly one of any number of callers gets past this.

    Raises: NotFound for all the others.
    """
    now = timezone.now()
    if not AccessLink.objects.filter(pk=link.pk, used_at=None, expires_at__gt=now).update(used_at=now):
        raise NotFound("This link was used already.")


def unreferred(response: HttpResponse) -> HttpResponse:
    """Keep the address of a page that came by a link out of every request that the page makes."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response
