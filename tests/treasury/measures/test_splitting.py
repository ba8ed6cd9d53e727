"""The theorem about splitting, over random lives: below a sum that asks for a group leaves less than it names.

If `sum(S, W) >= c` asks for n of G, then in any window W and scope S less than c leaves without n of G: whoever
splits, asks in parallel, by several people, or lets requests wait until they have aged.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from policies import changes
from policies.models import ChangeRequest, Decision, State
from policies.rules.language import AtLeast, GroupApprovals, Rule, Scope, SumOf, Window
from portal.treasury.models import Address, Withdrawal
from portal.treasury.operations import Withdraw, withdraw
from tests.treasury.life import MONEY, NAMES, Organized

WARM = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"
BOARD = ("cleo", "fay")
SCOPES = [tuple(sorted(scope)) for length in range(4) for scope in combinations(Scope, length)]
# Ten bitcoin are paid in, worth 64,000 dollars each where prices stand still.
LIMIT = Decimal(64_000)
askers = st.sampled_from(["olive", "ana", "dora", "bot"])
amounts = st.sampled_from(["0.2", "0.4", "0.7", "1.1"])
keys = st.sampled_from(["cold", "warm"])
deciders = st.sampled_from(NAMES)
places = st.integers(0, 5)


def left_at(sent: Withdrawal) -> datetime:
    assert sent.change.ended_at is not None
    return sent.change.ended_at


def worth(sent: Withdrawal) -> Decimal:
    assert sent.value_hundredths is not None
    return Decimal(sent.value_hundredths) / 100


class Split(Organized):
    """Everybody tries to get much out in little pieces."""

    executed = 0

    @initialize(
        scope=st.sampled_from(SCOPES), window=st.sampled_from([Window.HOUR, Window.DAY]), count=st.integers(1, 2)
    )
    def found_with_a_sum(self, scope: tuple[Scope, ...], window: Window, count: int) -> None:
        self.found(always=False, approvals=1)
        house = self.house
        board = house.group("Board", *BOARD)
        self.sum, self.count = SumOf(scope, window), count
        # Dora, who may execute, sends alone below the limit.
        rules = (
            Rule(approvals=1, always=False),
            Rule(groups=(GroupApprovals(board, count),), sums=(AtLeast(self.sum, LIMIT),)),
        )
        house.policy(MONEY, 1, always=False, rules=rules)
        Address.objects.create(
            organization=house.organization, account=house.account, key="warm", asset="XXBT", method="Bitcoin",
            network="Bitcoin", address=WARM, added_by="Olive", added_at=timezone.now(),
        )  # fmt: skip
        self.remember([])

    def found(self, always: bool, approvals: int) -> None:
        """As the other one, but begun by the rule above alone."""
        super().found(always, approvals)

    @invariant()
    def less_than_the_limit_left_without_the_board(self) -> None:
        """CR-10: limits count open and executed amounts together, under lock."""
        if not hasattr(self, "sum"):
            return
        bare = [sent for sent in self.sent() if not self.of_the_board(sent.change)]
        Split.executed += len(bare)
        for last in bare:
            begins = left_at(last) - self.sum.window.length
            alike = [
                sent
                for sent in bare
                if begins <= left_at(sent) <= left_at(last) and self.place(sent) == self.place(last)
            ]
            left = sum((worth(sent) for sent in alike), Decimal(0))
            assert left < LIMIT, f"{left} left without {self.count} of the board"

    def sent(self) -> list[Withdrawal]:
        rows = Withdrawal.objects.filter(organization=self.house.organization, change__state=State.EXECUTED)
        return list(rows.select_related("change", "address").order_by("change__ended_at", "pk"))

    def of_the_board(self, change: ChangeRequest) -> bool:
        members = [self.house.people[name].pk for name in BOARD]
        return Decision.objects.filter(change=change, approved=True, member__in=members).count() >= self.count

    def place(self, sent: Withdrawal) -> tuple[object, ...]:
        what = {
            Scope.ASSET: sent.asset,
            Scope.ACCOUNT: sent.account_id,
            Scope.DESTINATION: sent.address.address,
            Scope.INITIATOR: (sent.change.member_id, sent.change.service_user_id),
        }
        return tuple(what[scope] for scope in self.sum.scope)

    def asking(self, name: str, amount: str, key: str):
        address = Address.objects.get(account=self.house.account, key=key)
        params = Withdraw.to(address, amount=Decimal(amount), fee=Decimal("0.0001"))
        api_key = self.key if name == "bot" else None
        actor = self.key.service_user if name == "bot" else self.house.people[name]
        return lambda: changes.propose(withdraw, actor=actor, params=params, api_key=api_key)

    @rule(name=askers, amount=amounts, key=keys, elsewhere=st.booleans())
    def ask(self, name: str, amount: str, key: str, elsewhere: bool) -> None:
        self.do(self.asking(name, amount, key), elsewhere)

    @rule(first=askers, second=askers, amount=amounts, another=amounts, key=keys)
    def two_ask_at_once(self, first: str, second: str, amount: str, another: str, key: str) -> None:
        self.race(self.asking(first, amount, key), self.asking(second, another, key))

    @rule(amount=amounts, key=keys, names=st.permutations(NAMES))
    def one_sends_alone_while_another_is_approved(self, amount: str, key: str, names: list[str]) -> None:
        self.race(self.asking("dora", amount, key), self.deciding(names[0], 0, True))

    @rule(name=deciders, place=places, approved=st.sampled_from([True, True, True, False]))
    def decide(self, name: str, place: int, approved: bool) -> None:
        self.do(self.deciding(name, place, approved), elsewhere=False)

    @rule(first=deciders, second=deciders, place=places, other=places)
    def two_decide_at_once(self, first: str, second: str, place: int, other: int) -> None:
        self.race(self.deciding(first, place, True), self.deciding(second, other, True))

    @rule(place=places)
    def take_back(self, place: int) -> None:
        change = self.picked(place)
        if change is not None and change.member is not None:
            member = change.member
            self.do(lambda: changes.cancel(change.reference, actor=member), elsewhere=True)

    @rule(minutes=st.sampled_from([5, 40, 61, 23 * 60, 25 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.now.shift(timedelta(minutes=minutes))
        self.do(changes.expire_due, elsewhere=True)


@pytest.mark.slow
@pytest.mark.alike
@pytest.mark.django_db(transaction=True)
def test_splitting_below_a_sum_lets_less_than_the_sum_out(settings_of_prices):
    """CR-10: the amount that may leave is held against what is open and what was executed, whoever asks and when."""
    Split.executed = 0
    bounded = settings(
        max_examples=10,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        print_blob=True,
    )
    run_state_machine_as_test(Split, settings=bounded)
    assert Split.executed > 20, "too little was sent for this to say anything"


@pytest.fixture
def settings_of_prices(settings):
    settings.PAPER_PRICES = "still"
