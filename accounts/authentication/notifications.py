"""What a person is told about the safety of their access: by mail, and on the pages until they have seen it (SI-10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.timezone import localtime

from accounts import known_networks
from accounts.authentication.email_links import absolute
from accounts.models import Member, SecurityNotice, User
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core import call_origin
from portal.core.database.compiled.given import Key
from portal.core.display.phrases import dated
from portal.jobs import mail

MANY_FAILURES: Final = 3
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Words:
    """One kind of notice: what happened, with `{…}` for its data, and what to do if it was not you."""

    title: str
    text: str
    advice: str = "If this was not you, change your password, end your other sessions, and tell an administrator."


WORDS: Final[Mapping[str, Words]] = {
    "new_source": Words("You signed in from a new place.", "The address was {source}."),
    "failures_then_success": Words(
        "You signed in after failed tries.", "Before it, {failures} tries in a row had failed."
    ),
    "password_changed": Words("Your password was changed.", "Your other sessions were ended."),
    "password_reset": Words(
        "Your password was set anew by a link in your mail.",
        "All your sessions were ended. Your second factors are as they were.",
    ),
    "factor_added": Words("A second factor was added.", "{factor}"),
    "factor_added_by_code": Words(
        "A second factor was added by way of a recovery code.",
        "{factor} For {hours} hours you approve nothing, and finish nothing alone, of money, access and policies.",
    ),
    "factor_removed": Words("A second factor was removed.", "{factor}"),
    "recovery_code_used": Words(
        "A recovery code was used to sign in.",
        "{remaining} are left. Add a factor that you still hold, and make new codes.",
    ),
    "recovery_codes_made": Words("New recovery codes were made.", "Any older ones stopped working."),
    "factors_reset": Words(
        "Your second factors were reset in {organization}.",
        "Enrol anew with the link we sent you. Until {hours} hours after that you approve nothing, and finish nothing "
        "alone, of money, access and policies.",
    ),
    "member_reset": Words(
        "The second factors of {name} were reset in {organization}.",
        "Until {hours} hours after they enrol again {name} approves nothing, and finishes nothing alone, of money, "
        "access and policies.",
        advice="If you did not expect this, speak to {name} before you approve anything they ask for: {link}",
    ),
    "member_enrolled_by_code": Words(
        "{name} of {organization} enrolled a second factor by way of a recovery code.",
        "For {hours} hours {name} approves nothing, and finishes nothing alone, of money, access and policies.",
        advice="Ask {name} whether it was them before you approve anything they ask for: {link}",
    ),
    "member_enrolled": Words(
        "{name} of {organization} enrolled a second factor again after their reset.",
        "For {hours} hours {name} approves nothing, and finishes nothing alone, of money, access and policies.",
        advice="Ask {name} whether it was them before you approve anything they ask for: {link}",
    ),
    "suspended": Words(
        "You were suspended in {organization}.",
        "{by} did it, and wrote: {reason} Your sessions there ended, and what you had asked for is cancelled. It ends "
        "by itself on {until}, unless it is lifted before.",
        advice="If you do not know why, speak to whoever manages access in {organization}.",
    ),
    "kept_out": Words(
        "You are kept out of {organization}.",
        "{by} asked for it. Your sessions there ended, and what you had asked for is cancelled. It does not end by "
        "itself: others have to lift it.",
        advice="If you do not know why, speak to whoever manages access in {organization}.",
    ),
    "signed_out": Words(
        "Your sessions in {organization} were ended.",
        "{by} did it, and wrote: {reason} You can sign in again.",
        advice="If you do not know why, speak to {by}.",
    ),
    "stop_pulled": Words(
        "{by} {did} in {organization}.",
        "They wrote: {reason}",
        advice="If you did not expect this, speak to them. What is stopped, and lifting it: {link}",
    ),
    "many_stops": Words(
        "{by} has pulled {number} brakes within a minute in {organization}.",
        "The last one: {by} {did}. They wrote: {reason} Somebody who has got into their account could do this.",
        advice="Speak to {by} now. If it was not them, suspend them, and ask once that all is lifted: {link}",
    ),
    "identity_waits": Words(
        "{name} of {organization} waits for you to verify their identity.",
        "Their address is {email}. Until somebody has done so they may look, and not act.",
        advice="Compare what they wrote with their document, and with the person: {link}",
    ),
    "factor_first": Words(
        "Your second factor is set up.",
        "{factor} From now on it is asked for when you sign in, and before anything that matters.",
        advice="If this was not you, tell an administrator.",
    ),
    "ownership_offered": Words(
        "The ownership of {organization} is offered to you.",
        "Accept it or decline it until {until}.",
        advice="Accept or decline: {link}",
    ),
    "ownership_accepted": Words(
        "{name} is the Owner of {organization} now.",
        "They accepted what was offered to them. You keep the rights that you hold as a member.",
        advice="If you did not expect this, speak to whoever manages access in {organization}.",
    ),
    "ownership_declined": Words(
        "{name} declined the ownership of {organization}.", "The Owner is who it was.", advice=""
    ),
    "recovery_announced": Words(
        "The operator is about to reset the second factors of {name}.",
        "It takes effect on {opens}. Until then every member can cancel it.",
        advice="If nobody lost their factors, cancel it now: {link}",
    ),
    "recovery_cancelled": Words(
        "The reset of the second factors of {name} was cancelled.", "{by} cancelled it. Nothing was changed.", advice=""
    ),
    "recovery_opened": Words(
        "The second factors of {name} were reset by the operator.",
        "Until {hours} hours after they enrol again they approve nothing, and finish nothing alone, of money, access "
        "and policies.",
        advice="If you did not expect this, speak to them before you approve anything they ask for.",
    ),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice as a page shows it."""

    pk: int
    at: datetime
    title: str
    text: str
    advice: str
    link: str


def notify_security(user: User, kind: str, **data: str | int) -> None:
    """Tell `user`, by mail once the transaction commits and on the pages; `data` fills the words of `kind`.

    No secret belongs into `data`. The event in the history is written by whoever calls, beside what it tells of.
    """
    known = _known(data)
    SecurityNotice.objects.create(user=user, kind=kind, data=known, at=timezone.now())
    _write(user, kind, known)


def mail_only(user: User, kind: str, **data: str | int) -> None:
    """The same by mail alone, for what a page of its own shows as long as it is so."""
    _write(user, kind, _known(data))


def _known(data: Mapping[str, str | int]) -> dict[str, str | int]:
    hours = int(settings.AFTER_RESET.total_seconds() // 3600)
    return {"source": call_origin.current().source or "not known", "hours": hours, **data}


def _write(user: User, kind: str, known: Mapping[str, str | int]) -> None:
    text, now = _filled(WORDS[kind], known), timezone.now()
    mail.send(
        "notice",
        to=[user.email],
        context={
            "name": user.name,
            "title": text[0],
            "text": text[1],
            "advice": text[2],
            "at": f"{dated(localtime(now))} ({timezone.get_current_timezone_name()})",
            "source": known["source"],
            "security": absolute("/security/"),
        },
    )


def unseen(user: User) -> list[Shown]:
    """The newest notices that the person has not put away."""
    return [worded(row.pk, row.kind, row.data, row.at) for row in unseen_rows(user.pk)]


def unseen_rows(user_id: Key) -> QuerySet[SecurityNotice]:
    """The same as they are kept."""
    rows = SecurityNotice.objects.filter(user=user_id, seen_at=None, kind__in=WORDS)
    return rows.order_by("-pk")[:SHOWN]


def put_away(user: User, newest: int) -> None:
    """Mark as seen what a page shows together: that one of the person's own notices, and the older ones beside it.

    One that came meanwhile stays, and so does another's.
    """
    together = SecurityNotice.objects.filter(user=user, seen_at=None, pk__lte=newest).order_by("-pk")[:SHOWN]
    SecurityNotice.objects.filter(pk__in=list(together.values_list("pk", flat=True))).update(seen_at=timezone.now())


def after_sign_in(member: Member, *, failures: int = 0) -> None:
    """Tell a person of a sign-in that is out of the ordinary; in the transaction that records it."""
    source = call_origin.current().source
    is_new = known_networks.remember(member.user, source)
    with transaction.atomic():
        if is_new:
            _notice(member, "new_source", source=source)
        if failures >= MANY_FAILURES:
            _notice(member, "failures_then_success", failures=failures)


def _notice(member: Member, kind: str, **data: str | int) -> None:
    record(EventKind.SIGN_IN_NOTICED, actor=member, subject=member, workflow=Workflow.MANAGE_ACCESS, reason=kind)
    notify_security(member.user, kind, **data)


def worded(pk: int, kind: str, data: Mapping[str, str | int], at: datetime) -> Shown:
    """A notice as a page shows it, from what is kept of it."""
    # A mail writes an address out; a page leads there. It is one of ours, so its path is enough.
    words = _filled(WORDS[kind], {**data, "link": ""})
    return Shown(pk, at, *words, link=str(data.get("link", "")).removeprefix(absolute("")))


def _filled(words: Words, data: Mapping[str, str | int]) -> tuple[str, str, str]:
    """The words with their data; what a notice of long ago lacks shows as a dash."""
    known = _Known(data)
    return tuple(text.format_map(known) for text in (words.title, words.text, words.advice))  # type: ignore[return-value]


class _Known(dict[str, str | int]):
    def __missing__(self, name: str) -> str:
        return "–"
