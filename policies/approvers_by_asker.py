"""Who could approve if X asked, for any X: a Member or a bot, in every workflow and Account (DESIGN P6, R3)."""

from dataclasses import dataclass

from policies.rules import Bot, Facts, Initiator, Person
from policies.rules.eligibility import Reason
from policies.rules.language import Demand
from policies.rules.need_words import need_words
from policies.rules.what_if import possible_initiators, prospect
from policies.workflows import Workflow
from portal.core.errors import Refused


@dataclass(frozen=True, slots=True)
class Choice:
    """One X on the page: what its form sends, and its name."""

    value: str
    name: str
    is_bot: bool


@dataclass(frozen=True, slots=True)
class Counted:
    name: str
    is_you: bool
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Answer:
    """For one workflow, and one Account where that counts: `trouble` says why there is no number.

    Of so many people as are `needed`, `spare` could be away; below nought nobody gets it through. `asks` says what is
    needed where that is more than a number.
    """

    workflow: Workflow
    account: str
    needed: int
    people: tuple[Counted, ...]
    is_possible: bool
    trouble: str = ""
    spare: int = 0
    asks: str = ""

    @property
    def able(self) -> int:
        """How many of them could approve it."""
        return sum(person.reason is None for person in self.people)


def choices(facts: Facts) -> tuple[Choice, ...]:
    """Everybody who may ask for anything, bots first: they are whom people ask about."""
    found: dict[str, Choice] = {}
    for workflow in Workflow:
        for account_id in _accounts(facts, workflow):
            for initiator in possible_initiators(facts, workflow, account_id):
                choice = _choice(initiator)
                found.setdefault(choice.value, choice)
    return tuple(sorted(found.values(), key=lambda choice: (not choice.is_bot, choice.name.casefold())))


def answers(facts: Facts, value: str, viewer_person: int) -> tuple[Answer, ...]:
    """What it would take in each workflow in which X may ask; empty for an X who may ask for nothing."""
    found = []
    for workflow in Workflow:
        for account_id in _accounts(facts, workflow):
            initiator = next(
                (one for one in possible_initiators(facts, workflow, account_id) if _choice(one).value == value), None
            )
            if initiator is not None:
                found.append(_answer(facts, initiator, workflow, account_id, viewer_person))
    return tuple(found)


def _answer(
    facts: Facts, initiator: Initiator, workflow: Workflow, account_id: int | None, viewer_person: int
) -> Answer:
    several = len(facts.accounts) > 1 and account_id is not None
    account = facts.accounts[account_id] if several and account_id is not None else ""
    try:
        found = prospect(facts, initiator, workflow, account_id)
    except Refused as refused:
        return Answer(workflow, account, 0, (), is_possible=False, trouble=refused.message)
    if found.need.is_denied:
        return Answer(workflow, account, 0, (), is_possible=False, trouble="A rule denies it, however many agree.")
    people = tuple(Counted(person.name, person.user_id == viewer_person, reason) for person, reason in found.people)
    needs, words = found.need, need_words(found.need.demand, facts.groups)
    is_number = needs.demand == Demand(needs.approvals)
    return Answer(
        workflow,
        account,
        needs.people,
        people,
        found.is_possible,
        spare=found.spare,
        asks="" if is_number else words,
    )


def _accounts(facts: Facts, workflow: Workflow) -> tuple[int | None, ...]:
    return tuple(facts.accounts) if workflow.by_account else (None,)


def _choice(initiator: Person | Bot) -> Choice:
    if isinstance(initiator, Bot):
        return Choice(f"bot-{initiator.service_user_id}", initiator.name, is_bot=True)
    return Choice(f"member-{initiator.member_id}", initiator.name, is_bot=False)
