"""An Organization that lives: it is founded, acts on two connections, and is looked at after every step."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import time_machine
from django.db import connection
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from accounts.models import Member
from policies import changes
from policies.changes import propose
from policies.models import OPEN_STATES, ChangeRequest, Decision, Grant, Policy, State
from policies.workflows import Right, Workflow
from portal.audit import chain
from portal.audit.models import AuditEvent
from portal.core.errors import DomainError
from portal.core.secrets.sealing import token
from portal.treasury.models import Address, Withdrawal
from portal.treasury.withdrawals import request_withdrawal
from portal.venues.paper import funding
from portal.venues.registry import venue
from tests.factories.world import BTC_COLD
from tests.policies.conftest import House, make_house, shown

START = datetime(2027, 3, 1, 9, tzinfo=UTC)
PAID_IN = Decimal(10)
MONEY = Workflow.INITIATE_WITHDRAWAL
NAMES = ("olive", "ana", "dora", "ben", "cleo", "fay")
FINAL = {"executed", "failed", "rejected", "cancelled", "expired", "became_stale"}
Act = Callable[[], object]


class Organized(RuleBasedStateMachine):
    """One Organization's requests, and what must hold of them whatever is done; its rules say what is done."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = time_machine.travel(START, tick=False)
        self.now = self.clock.start()
        # The other connection: Django gives each thread its own.
        self.other = ThreadPoolExecutor(max_workers=1)
        self.needed: dict[int, int] = {}
        self.seen: dict[int, str] = {}

    def teardown(self) -> None:
        self.other.submit(lambda: connection.close()).result()  # noqa: PLW0108 - of that thread
        self.other.shutdown()
        self.clock.stop()

    @initialize(always=st.booleans(), approvals=st.integers(1, 2))
    def found(self, always: bool, approvals: int) -> None:
        house = make_house(f"Life {token(8)}")
        tag = token(6).lower()
        rights = ([*Right], [Right.INITIATE], [Right.EXECUTE], *[[Right.APPROVE]] * 3)
        house.furnish(
            {name: [*product(Workflow, some)] for name, some in zip(NAMES, rights, strict=True)}, tag=f"-{tag}"
        )
        self.key = house.bot(f"bot-{tag}")
        house.policy(MONEY, approvals, always=always)
        funding.deposit(house.account.pk, "BTC", PAID_IN, reference=f"life-{house.account.pk}")
        Address.objects.create(
            organization=house.organization, account=house.account, key="cold", asset="XXBT", method="Bitcoin",
            network="Bitcoin", address=BTC_COLD, added_by="Olive", added_at=timezone.now(),
        )  # fmt: skip
        self.house: House = house
        self.remember([])

    # What must hold

    @invariant()
    def look(self) -> None:
        if not hasattr(self, "house"):
            return
        found = list(ChangeRequest.objects.filter(organization=self.house.organization).select_related("member"))
        events: dict[int, list[str]] = {}
        rows = AuditEvent.objects.filter(organization=self.house.organization, subject_kind="changerequest")
        for subject, kind in rows.order_by("sequence").values_list("subject_id", "kind"):
            events.setdefault(subject, []).append(kind.removeprefix("change."))
        given: dict[int, list[Decision]] = {}
        for decision in Decision.objects.filter(change__in=found).select_related("member"):
            given.setdefault(decision.change_id, []).append(decision)
        for change in found:
            self.look_at(change, events[change.pk], given.get(change.pk, []))
        self.look_at_money(found)
        assert chain.verify(self.house.organization.pk) is None
        self.remember(found)

    def look_at(self, change: ChangeRequest, events: list[str], decisions: list[Decision]) -> None:
        asker = change.member.user_id if change.member else self.house.olive.user_id
        assert asker not in {decision.person_id for decision in decisions}, "a self-approval counted"
        assert len({decision.person_id for decision in decisions}) == len(decisions)
        approved = sum(decision.approved for decision in decisions)
        if change.state == State.EXECUTED and change.approvals_required and self.seen.get(change.pk) != State.EXECUTED:
            needed = max(change.approvals_required, self.needed.get(change.pk, 0))
            counted = sum(given.approved and self.may_approve(given.member, change) for given in decisions)
            assert counted >= needed, f"{counted} approvals where {needed} were asked"
        # History complete: asked once, each yes once, and one end that says the state.
        assert events[0] == "requested"
        assert events.count("approved") == approved
        ends = [kind for kind in events if kind in FINAL]
        word = "became_stale" if change.state == State.STALE else change.state
        assert ends == ([] if change.state in OPEN_STATES else [word])
        before = self.seen.get(change.pk)
        assert before is None or before in OPEN_STATES or before == change.state, "a final state moved"

    def may_approve(self, member: Member, change: ChangeRequest) -> bool:
        """A yes counts while its giver is there and holds the right: nobody loses either by what they approve."""
        held = Grant.objects.filter(member=member, workflow=change.workflow, right=Right.APPROVE)
        return not member.is_suspended and held.exists()

    def look_at_money(self, found: list[ChangeRequest]) -> None:
        rows = {row.asset.id: row for row in venue(self.house.account.venue).balances(self.house.account.pk)}
        held = {State(change.state): Decimal(0) for change in found}
        for change in found:
            if change.amount:
                held[State(change.state)] += Decimal(change.amount)
        sent = held.get(State.EXECUTED, Decimal(0))
        waiting = sum((held.get(state, Decimal(0)) for state in OPEN_STATES), Decimal(0))
        scale = Decimal(10) ** rows["XXBT"].asset.decimals
        assert rows["XXBT"].units / scale == PAID_IN - sent - waiting
        assert rows["XXBT"].held_by_withdrawals_units / scale == waiting
        money = sum(bool(change.amount) for change in found)
        assert Withdrawal.objects.filter(organization=self.house.organization).count() == money

    def remember(self, found: Iterable[ChangeRequest]) -> None:
        """What each policy asks now, for what is executed in the next step."""
        self.needed |= self.asked_now(found)
        self.seen |= {change.pk: change.state for change in found}

    def asked_now(self, found: Iterable[ChangeRequest]) -> dict[int, int]:
        """How many the policy asks for each request: none of who may execute, unless everybody needs approval."""
        here = {"organization": self.house.organization}
        policies = {policy.workflow: policy for policy in Policy.objects.filter(**here)}
        executing = Grant.objects.filter(member__organization=self.house.organization, right=Right.EXECUTE)
        alone = set(executing.values_list("member_id", "workflow"))

        def needed(member_id: int | None, workflow: str) -> int:
            policy = policies.get(workflow)
            if (member_id, workflow) in alone and not (policy and policy.always):
                return 0
            return policy.approvals if policy else 1

        return {change.pk: needed(change.member_id, change.workflow) for change in found}

    # How

    def do(self, act: Act, elsewhere: bool) -> None:
        def acted() -> None:
            with suppress(DomainError):
                act()

        if elsewhere:
            self.other.submit(acted).result()
        else:
            acted()

    def race(self, one: Act, another: Act) -> None:
        """Both at once. Which one is first decides which policy counted, so the milder of both is what is asked."""
        running = self.other.submit(lambda: self.do(one, elsewhere=False))
        self.do(another, elsewhere=False)
        running.result()
        found = ChangeRequest.objects.filter(organization=self.house.organization)
        for pk, asked in self.asked_now(found).items():
            self.needed[pk] = min(self.needed.get(pk, 1), asked)

    def withdraw(self, actor: Any, amount: str, **more: Any) -> ChangeRequest:
        return request_withdrawal(
            actor=actor, account=self.house.account, key="cold", asset="XBT", amount=Decimal(amount), **more
        )

    def proposing(self, name: str, operation: Any, params: object) -> Act:
        return lambda: propose(operation, actor=self.house.people[name], params=params)

    def deciding(self, name: str, place: int, approved: bool) -> Act:
        change = self.picked(place)
        if change is None:
            return lambda: None
        return lambda: changes.decide(
            change.reference,
            member=Member.objects.select_related("user", "organization").get(pk=self.house.people[name].pk),
            approved=approved,
            digest=change.digest,
            proof=shown(change if change.amount else None),
            reason="" if approved else "No.",
        )

    def picked(self, place: int, *, open_only: bool = True) -> ChangeRequest | None:
        rows = ChangeRequest.objects.filter(organization=self.house.organization).order_by("-pk")
        rows = rows.filter(state=State.PENDING) if open_only else rows.exclude(state__in=OPEN_STATES)
        found = list(rows[: place + 1])
        return found[-1] if found else None
