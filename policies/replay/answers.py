"""What two policies ask of a past withdrawal, and whether today's people could finish it."""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from policies.replay.cells import Cell, Cells
from policies.replay.moments import Moment
from policies.rules import Asked, Bot, Facts, Initiator, Need, Person, Terms, approvals_needed, eligible, is_met
from policies.rules.language import MEMBER, NOTHING, Demand
from policies.workflows import Workflow

WITHDRAWAL: Final = Workflow.INITIATE_WITHDRAWAL
# Who asked, and of which Account.
Who: TypeAlias = tuple[str, str]
# What one policy asks, and the other.
Both: TypeAlias = tuple[Demand, Demand]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is asked of one request in the end, and whether so many of today's people may decide on it."""

    demand: Demand
    is_possible: bool


class Answers:
    """What `policies`, two of them, ask of past withdrawals of the Organization of `facts`: each cell is asked once.

    None in place of a policy: none governs withdrawals.
    """

    def __init__(self, facts: Facts, policies: tuple[Terms | None, Terms | None]) -> None:
        self._facts, self._policies = facts, policies
        self.cells = Cells(rule for terms in policies if terms is not None for rule in terms.rule_set)
        self._asked: dict[Who, Asked] = {}
        self._demands: dict[tuple[Who, Cell], Both] = {}
        self._outcomes: dict[tuple[Who, Demand], Outcome] = {}

    def demands(self, moment: Moment) -> Both:
        """What each policy asks at that moment.

        Raises: Refused if one of them cannot be read.
        """
        known = moment.past.situation
        who = (known.initiator, known.account)
        cell = (who, self.cells.of(moment))
        found = self._demands.get(cell)
        if found is None:
            asked = replace(self._asking(who), situation=self.cells.situation(moment))
            found = (self._demand(asked, self._policies[0]), self._demand(asked, self._policies[1]))
            self._demands[cell] = found
        return found

    def outcome(self, moment: Moment, demand: Demand) -> Outcome:
        """What becomes of who asked then, if that is what is asked in the end."""
        who = (moment.past.situation.initiator, moment.past.situation.account)
        found = self._outcomes.get((who, demand))
        if found is None:
            asked = self._asking(who)
            need = Need(demand.approvals, groups=demand.groups, delay_hours=demand.delay_hours)
            is_possible = is_met(need, eligible(asked, self._facts), asked)
            found = self._outcomes[(who, demand)] = Outcome(demand, is_possible)
        return found

    def _demand(self, asked: Asked, terms: Terms | None) -> Demand:
        found = approvals_needed(asked, () if terms is None else (terms,)).demand
        # What is denied is so whatever else is asked.
        return replace(NOTHING, is_denied=True) if found.is_denied else _in_all(found)

    def _asking(self, who: Who) -> Asked:
        if who not in self._asked:
            account = int(who[1]) if who[1].isdecimal() else None
            self._asked[who] = Asked(WITHDRAWAL, asker(who[0], self._facts, account), account, money=True)
        return self._asked[who]


def asker(initiator: str, facts: Facts, account_id: int | None) -> Initiator:
    """Who is called so in lists, by today's facts; who is gone, or may withdraw no more, bars nobody."""
    kind, _, number = initiator.partition(":")
    primary_key = int(number) if number.isdecimal() else 0
    if kind == MEMBER:
        return facts.person(primary_key) or Person(primary_key, 0, "", is_active=False)
    gone = Bot(primary_key, "", account_id or 0, is_active=False)
    return next((bot for bot in facts.bots if bot.service_user_id == primary_key), gone)


def _in_all(demand: Demand) -> Demand:
    """The same with the least number of approvals that it comes to: each of a group is one of all."""
    most = max((count for _, count in demand.groups), default=0)
    return replace(demand, approvals=max(demand.approvals, most))
