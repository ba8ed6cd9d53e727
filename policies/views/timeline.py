"""What has happened to a request so far, and what its next steps are, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from policies import readability
from policies.models import ChangeRequest, Decision, State
from policies.progress import Standing
from policies.rules.language import NOTHING
from policies.rules.need_words import need_words
from portal.core.display.phrases import counted, listed
from portal.core.factors import factor_word
from portal.core.web.http import MemberRequest


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the timeline."""

    kind: str
    label: str
    is_you: bool
    verb: str
    at: datetime
    css: str = ""
    detail: str = ""
    words: str = ""


def steps(
    request: MemberRequest, change: ChangeRequest, decisions: list[Decision], groups: Mapping[int, str]
) -> list[Step]:
    """Who asked, and each decision with the factor and the digest it was given by, in that order."""
    reader = request.member
    asked = Step(
        change.initiator.kind,
        change.initiator_label,
        change.member_id == reader.pk,
        "asked",
        change.created_at,
        detail="Ran at once." if change.required == NOTHING else f"{need_words(change.required, groups)} required.",
    )
    given = [
        Step(
            "member",
            decision.member.label,
            decision.person_id == reader.user_id,
            "approved" if decision.approved else "rejected",
            decision.at,
            css="is-given" if decision.approved else "is-stop",
            detail=f"{factor_word(decision.factor).capitalize()} · "
            f"{'same digest' if decision.digest == change.digest else 'another digest'}",
            words=decision.reason,
        )
        for decision in decisions
    ]
    return [asked, *given]


def progress(change: ChangeRequest, standing: Standing, decisions: list[Decision]) -> SafeString:
    """What has been agreed to so far, and what is still missing."""
    names = [
        decision.member.label for decision in decisions if decision.approved and decision.person_id in standing.counted
    ]
    agreed = f"{listed(names)} approved. " if names and change.is_open else ""
    if change.shown_state != State.PENDING or not standing.missing:
        return format_html("{}", agreed)
    if standing.delay_hours:
        more = counted(standing.missing, "more approval")
        return format_html("{}After <b>{}</b> it waits for its time.", agreed, more)
    more = counted(standing.missing, "more approval" if names and standing.missing == 1 else "approval")
    verb = "carries" if standing.missing == 1 else "carry"
    end = ", at once and for good" if readability.moves_money(change) else " at once"
    return format_html("{}<b>{}</b> {} it out{}.", agreed, more, verb, end)
