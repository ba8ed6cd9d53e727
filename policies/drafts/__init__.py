"""Rules that a Member is still writing: begun from the policy in force, changed one by one, asked for or put away.

Nothing here is governed, since nothing obeys a draft: it becomes a request by `configure_policy` (DESIGN P7, R1). A
draft belongs to its author; whoever names a rule in it names what it says, so that nobody changes another by mistake.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from django.db import transaction
from django.utils import timezone

from policies.models import PolicyDraft
from policies.models.policy import DEFAULT_OPEN_HOURS
from policies.rules import Terms
from policies.rules.language import MAX_RULES, Rule
from policies.snapshot.stored_rules import digest_of, read_rules, written_rules
from policies.workflows import Workflow
from portal.core.errors import Conflict, NotFound

if TYPE_CHECKING:
    from accounts.models import Member

KEY_LENGTH: Final = 12
GONE: Final = "There is no such rule in your draft any more. Somebody, perhaps you in another window, changed it."


def find(author: "Member", workflow: Workflow) -> PolicyDraft | None:
    """The author's draft of that policy; None without one."""
    return PolicyDraft.objects.filter(author=author, workflow=workflow.value).first()


def rules_of(draft: PolicyDraft) -> tuple[Rule, ...] | None:
    """Its rules; None where this version cannot read them."""
    return read_rules(draft.rules)


def key_of(rule: Rule) -> str:
    """What names a rule in a draft: the beginning of its digest, so that two that say the same are one."""
    return digest_of((rule,))[:KEY_LENGTH]


def base_of(terms: Terms | None) -> str:
    """The digest of a policy as a draft is begun from it: of all that it says, or that there is none."""
    said = (terms.approvals, terms.always, terms.open_hours, digest_of(terms.rules or ())) if terms else None
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def begin(author: "Member", workflow: Workflow, terms: Terms | None) -> PolicyDraft:
    """The author's draft, begun from the policy in force unless there is one."""
    draft, _ = PolicyDraft.objects.get_or_create(
        author=author,
        workflow=workflow.value,
        defaults={
            "organization_id": author.organization_id,
            "rules": written_rules(terms.rule_set) if terms else [],
            "open_hours": terms.open_hours if terms else DEFAULT_OPEN_HOURS,
            "base": base_of(terms),
            "updated_at": timezone.now(),
        },
    )
    return draft


def put(author: "Member", workflow: Workflow, rule: Rule, *, key: str, terms: Terms | None) -> bool:
    """Write `rule` in place of the one that `key` names, or beside all others; the draft is begun if need be.

    False if `key` names none any more, and it stands beside the others for that. Raises: Conflict if there are too
    many rules.
    """
    found = True

    def write(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        nonlocal found
        place = _place(rules, key)
        found = place is not None or not key
        if place is not None:
            return (*rules[:place], rule, *rules[place + 1 :])
        if len(rules) >= MAX_RULES:
            raise Conflict(f"A policy has {MAX_RULES} rules at most. Remove one first.")
        return (*rules, rule)

    begin(author, workflow, terms)
    _change(author, workflow, write)
    return found


def remove(author: "Member", workflow: Workflow, key: str) -> None:
    """Strike a rule out. Raises: NotFound if it is gone."""

    def write(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        place = _known(rules, key)
        return (*rules[:place], *rules[place + 1 :])

    _change(author, workflow, write)


def stay_open(author: "Member", workflow: Workflow, hours: int) -> None:
    """Say how long a request stays open. Raises: NotFound without a draft."""
    with transaction.atomic():
        draft = _locked(author, workflow)
        draft.open_hours, draft.updated_at = hours, timezone.now()
        draft.save(update_fields=["open_hours", "updated_at"])


def carry_on(author: "Member", workflow: Workflow, terms: Terms | None) -> None:
    """Go on from the policy that is in force by now: the draft has been held against it."""
    PolicyDraft.objects.filter(author=author, workflow=workflow.value).update(base=base_of(terms))


def discard(author: "Member", workflow: Workflow) -> None:
    """Put the draft away, if there is one."""
    PolicyDraft.objects.filter(author=author, workflow=workflow.value).delete()


def _change(author: "Member", workflow: Workflow, write: Callable[[tuple[Rule, ...]], Sequence[Rule]]) -> None:
    with transaction.atomic():
        draft = _locked(author, workflow)
        rules = rules_of(draft)
        if rules is None:
            raise Conflict("This draft cannot be read in this version. Discard it, and begin anew.")
        draft.rules, draft.updated_at = written_rules(write(rules)), timezone.now()
        draft.save(update_fields=["rules", "updated_at"])


def _locked(author: "Member", workflow: Workflow) -> PolicyDraft:
    rows = PolicyDraft.objects.select_for_update().filter(author=author, workflow=workflow.value)
    found = rows.first()
    if found is None:
        raise NotFound("You have no draft of this policy.")
    return found


def _known(rules: Sequence[Rule], key: str) -> int:
    place = _place(rules, key)
    if place is None:
        raise NotFound(GONE)
    return place


def _place(rules: Sequence[Rule], key: str) -> int | None:
    return next((place for place, rule in enumerate(rules) if key and key_of(rule) == key), None)
