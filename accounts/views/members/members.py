"""The people of an Organization, and what they may do."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.grants import Given, in_words, ordered
from accounts.models import Account, Member
from accounts.models.member import Identity
from policies.access import allows, needs
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.core.display.markup import Level
from portal.core.factors import PASSKEY, TOTP, factor_word
from portal.core.paging import keyset
from portal.core.web.http import MemberRequest


@dataclass(frozen=True, slots=True)
class Row:
    """One member of the list; `rights` says workflow by workflow what they hold."""

    member: Member
    is_you: bool
    state: str
    level: Level
    rights: tuple[str, ...]
    factors: str


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def members(request: MemberRequest) -> HttpResponse:
    """Who is, or was, in the Organization."""
    people = Member.objects.of(request.organization).select_related("user")
    page = keyset(people, after=request.GET.get("after"), order=("id",))
    accounts = dict(Account.objects.filter(organization=request.organization).values_list("pk", "name"))
    held = _rights([member.pk for member in page.rows])
    factors = factors_of([member.pk for member in page.rows])
    rows = [
        Row(
            member,
            member.pk == request.member.pk,
            *state_of(member),
            rights=in_words(ordered(held[member.pk]), accounts),
            factors=factors[member.pk],
        )
        for member in page.rows
    ]
    may_ask = allows(request.member, Workflow.MANAGE_ACCESS, Right.INITIATE)
    return render(request, "accounts/members.html", {"rows": rows, "page": page, "may_ask": may_ask})


def state_of(member: Member) -> tuple[str, Level]:
    """Whether the Member can do anything here, and if not why, in a word or two."""
    if member.removed_at is not None:
        return "Removed", "void"
    if member.is_suspended or not member.user.is_active:
        return "Suspended", "stop"
    return ("Active", "done") if member.is_verified else (Identity(member.identity).label, "wait")


def factors_of(member_ids: Collection[int]) -> dict[int, str]:
    """What each of these Members signs in with here, in words, in two queries however many they are."""
    members = Member.objects.filter(pk__in=member_ids)
    apps = set(members.filter(authenticators__confirmed=True).values_list("pk", flat=True))
    passkeys = set(members.filter(passkeys__confirmed=True).values_list("pk", flat=True))
    return {
        member_id: ", ".join(
            factor_word(kind).capitalize()
            for kind, having in ((PASSKEY, passkeys), (TOTP, apps))
            if member_id in having
        )
        for member_id in member_ids
    }


def _rights(member_ids: list[int]) -> dict[int, list[Given]]:
    held: dict[int, list[Given]] = defaultdict(list)
    rows = Grant.objects.filter(member_id__in=member_ids)
    for member_id, workflow, right, account_id in rows.values_list("member_id", "workflow", "right", "account_id"):
        held[member_id].append(Given(Workflow(workflow), Right(right), account_id))
    return held
