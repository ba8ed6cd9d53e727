"""Events as rows of the page: who did what to what, in a sentence, with what matters beside it and the rest behind."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Member, Organization
from policies.models import ChangeRequest
from policies.views.rows import named
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core import actors, factors
from portal.core.database.rows import Rows
from portal.core.display import markup
from portal.core.display.phrases import counted
from portal.dashboard.history.causes import Cause, causes
from portal.dashboard.history.sentences import names_subject, sentence
from portal.treasury import destination_html
from portal.venues.errors import UnknownAsset
from portal.venues.registry import venue

FACTORS: Final = {kind: f"by {word}" for kind, word in factors.WORDS.items()}
OUTCOMES: Final = {"refused": "Refused", "failed": "Failed"}
MOST_LISTED: Final = 4
LONGEST: Final = 160


@dataclass(frozen=True, slots=True)
class Entry:
    """An AuditEvent as a row: `before` and `after` stand around the subject, which leads to `href` if it has a page."""

    event: AuditEvent
    is_mine: bool
    before: str
    subject: str
    after: str
    href: str
    notes: Sequence[str | SafeString]
    details: Sequence[tuple[str, str]]

    @property
    def day(self) -> date:
        """The day under which the row stands, in the reader's zone."""
        return timezone.localdate(self.event.at)

    @property
    def outcome(self) -> str:
        """How it ended, in a word; empty where it simply happened."""
        return OUTCOMES.get(self.event.outcome, "")


def told(reader: Member, events: list[AuditEvent]) -> list[Entry]:
    """`events` as rows, in four queries however many there are."""
    pages = _Pages(reader.organization, events)
    return [_entry(reader, event, pages) for event in events]


def in_words(event: AuditEvent, cause: Cause | None) -> str:
    """The whole of it in one line of text, with the request that it came about by."""
    before, after = sentence(event.kind)
    subject = _subject(event, None) if names_subject(event.kind) else ""
    by = f", {cause.words}" if cause else ""
    return " ".join(f"{event.actor_label} {before} {subject}{after}{by}".split())


class _Pages:
    """The pages of what these events are about, as far as they are there still."""

    def __init__(self, organization: Organization, events: Iterable[AuditEvent]) -> None:
        subjects = {(event.subject_kind, event.subject_id) for event in events}
        changes = ChangeRequest.objects.of(organization)
        keys = [pk for kind, pk in subjects if kind == "changerequest"]
        self.changes = changes.in_bulk(keys)
        self.causes = causes(organization.pk, events)
        bots = [pk for kind, pk in subjects if kind == "serviceuser"]
        groups = [pk for kind, pk in subjects if kind == "group"]
        found: Mapping[str, Any] = (
            Organization.objects.filter(pk=organization.pk)
            .values(
                of_bots=Rows(organization.service_users.filter(pk__in=bots), "pk", "name"),
                of_groups=Rows(organization.groups.filter(pk__in=groups, removed_at=None), "pk"),
            )
            .get()
        )
        self.bots = dict(found["of_bots"])
        self.groups = {pk for (pk,) in found["of_groups"]}

    def of(self, event: AuditEvent) -> str:
        if event.subject_kind == "changerequest" and event.subject_id in self.changes:
            return reverse("policies:request", args=[self.changes[event.subject_id].reference])
        if event.subject_kind == "serviceuser" and event.subject_id in self.bots:
            return reverse("accounts:service_user", args=[self.bots[event.subject_id]])
        if event.subject_kind == "group" and event.subject_id in self.groups:
            return reverse("policies:group", args=[event.subject_id])
        if event.subject_kind == "member" and event.subject_id and event.workflow == Workflow.MANAGE_ACCESS:
            return reverse("accounts:member", args=[event.subject_id])
        return ""


def _entry(reader: Member, event: AuditEvent, pages: _Pages) -> Entry:
    before, after = sentence(event.kind)
    shown = names_subject(event.kind)
    change = pages.changes.get(event.subject_id) if event.subject_kind == "changerequest" else None
    return Entry(
        event=event,
        is_mine=(event.actor_kind, event.actor_id) == (reader.kind, reader.pk),
        before=before,
        subject=_subject(event, change) if shown else "",
        after=after,
        href=pages.of(event) if shown else "",
        notes=[*_notes(event), *_cause(event, pages)],
        details=_details(event),
    )


def _subject(event: AuditEvent, change: ChangeRequest | None) -> str:
    itself = (event.subject_kind, event.subject_id) == (event.actor_kind, event.actor_id)
    if itself and event.actor_kind == actors.MEMBER:
        return "their own"
    if event.subject_kind == "changerequest":
        number, _, title = event.subject_label.partition(" ")
        return f"request {number}, {named(change) if change else title}"
    if event.subject_kind == "policy":
        return _workflow(event.data.get("governs") or event.subject_label.partition(":")[0])
    return event.subject_label


def _cause(event: AuditEvent, pages: _Pages) -> list[SafeString]:
    """By which request it came about, and who agreed to that."""
    cause = pages.causes.get(str(event.data.get("change", "")))
    if cause is None:
        return []
    url = reverse("policies:request", args=[cause.reference])
    return [format_html('by <a href="{}">request {}</a>{}', url, cause.number, cause.agreed)]


def _notes(event: AuditEvent) -> list[str | SafeString]:
    """What matters of the data, in words; all of it stands in `_details`."""
    found = {name: note(event, value) for name, note in NOTES.items() if (value := event.data.get(name)) is not None}
    return [said for said in found.values() if said]


def _amount(event: AuditEvent, value: object) -> str:
    return markup.amount(str(value), _asset(event))


def _approvals(event: AuditEvent, value: object) -> str:
    if not isinstance(value, int):
        return ""
    if event.kind != EventKind.CHANGE_REQUESTED:
        return counted(value, "approval")
    return f"needs {counted(value, 'approval')}" if value else "ran at once"


def _name_of_address(event: AuditEvent, value: object) -> str:
    return f"to {value}" if event.subject_kind == "withdrawal" else ""


def _rights(_event: AuditEvent, value: object) -> str:
    return _few([_right(str(one)) for one in value], "right") if isinstance(value, list) else ""


def _permissions(_event: AuditEvent, value: object) -> str:
    return counted(len(value), "permission") if isinstance(value, list) else ""


def _moved(way: str, value: object) -> str:
    """Who came into a group, or went out of it."""
    return f"{way}: {_few(list(map(str, value)), 'member')}" if isinstance(value, list) and value else ""


# What is said beside a sentence, in this order.
NOTES: Final[dict[str, Callable[[AuditEvent, object], str]]] = {
    "amount": _amount,
    "key": _name_of_address,
    "address": lambda _event, value: destination_html.ends_as_kept(str(value)),
    "factor": lambda _event, value: FACTORS.get(str(value), str(value)),
    "approvals": _approvals,
    "always": lambda _event, value: "always" if value is True else "",
    "bot": lambda _event, value: f"of {value}",
    "of": lambda event, value: f"of {value}" if event.kind == EventKind.EXPORT_MADE else "",
    "events": lambda _event, value: f"{value} events",
    "rights": _rights,
    "permissions": _permissions,
    "joined": lambda _event, value: _moved("in", value),
    "left": lambda _event, value: _moved("out", value),
    "reason": lambda _event, value: markup.quoted(_short(str(value))) if value else "",
}


def _details(event: AuditEvent) -> list[tuple[str, str]]:
    """Everything that is stored, by name."""
    kept = [
        ("event", f"{event.kind}, {event.outcome}"),
        ("workflow", _workflow(event.workflow)),
        ("source", event.source),
        ("by way of", event.via),
        ("request id", event.request_id),
        ("hash", event.hash),
    ]
    data = [(name.replace("_", " "), _plain(value)) for name, value in event.data.items()]
    return [(name, value) for name, value in (*kept, *data) if value]


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    return "" if value is None else str(value)


def _workflow(value: object) -> str:
    text = str(value)
    return Workflow(text).title if text in set(Workflow) else text


def _right(text: str) -> str:
    """`manage_access: view` as `Manage Access: View`."""
    workflow, _, right = text.partition(": ")
    return f"{_workflow(workflow)}: {Right(right).title}" if right in set(Right) else text


def _asset(event: AuditEvent) -> str:
    """The asset by the code that its venue gives it."""
    name = str(event.data.get("asset", ""))
    if event.account is None:
        return name
    try:
        return venue(event.account.venue).asset(name).code
    except UnknownAsset:
        return name


def _few(names: list[str], noun: str) -> str:
    return ", ".join(names) if 0 < len(names) <= MOST_LISTED else counted(len(names), noun)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
