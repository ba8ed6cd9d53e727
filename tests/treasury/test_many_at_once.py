"""Everybody in an Organization acts at the same moment: nobody waits for ever, and everything adds up afterwards."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from random import Random

import pytest

from accounts.emergency_stop.stop import pause_key, suspend_service_user
from accounts.emergency_stop.suspensions import suspend_member
from accounts.models import Account, ApiKey, Member, ServiceUser
from accounts.models.service_user import Permission
from accounts.service_users.params import LiftSuspension
from accounts.service_users.reinstate_and_remove import lift_suspension
from policies import changes
from policies.changes import propose
from policies.models import OPEN_STATES, ChangeRequest, State
from policies.operations import ConfigurePolicy, configure_policy
from policies.workflows import Workflow
from portal.audit import chain
from portal.core.errors import DomainError
from portal.core.secrets.sealing import token
from portal.treasury import expired_holds
from portal.treasury.models import Address
from portal.treasury.operations import AddAddress, RemoveAddress, add_address, remove_address
from portal.treasury.withdrawals import cancel_withdrawal, request_withdrawal
from portal.venues.paper import reconciliation
from portal.venues.paper.venue import PaperVenue
from portal.venues.types import NewOrder, OrderKind, Side
from tests.factories.world import BTC_COLD, make_bot
from tests.policies.conftest import shown
from tests.venues.conftest import pay_in, together

pytestmark = pytest.mark.django_db(transaction=True)
VENUE = PaperVenue()
ACTORS, ACTS = 6, 14
MONEY = Workflow.INITIATE_WITHDRAWAL


class Crowd:
    """What can be done in one Organization, each as somebody would who happens to come by."""

    def __init__(self, world) -> None:
        self.world = world
        self.organization = world.organization
        self.owner = world.members["owner"]
        self.accounts = list(Account.objects.filter(organization=self.organization))

    def life_of(self, seed: int) -> Callable[[], Counter[str]]:
        """The acts of one of them, one after the other; what the rules refuse is part of life."""

        def lived() -> Counter[str]:
            dice, came = Random(seed), Counter[str]()
            acts = [
                *5 * [self.bot_asks], self.member_asks, *2 * [self.approves], self.rejects, self.takes_back,
                self.bot_cancels, self.trades, self.configures, self.pauses, self.suspends, self.lifts,
                self.stops_member, self.adds_address, self.removes_address, self.looks,
            ]  # fmt: skip
            for _ in range(ACTS):
                act = dice.choice(acts)
                try:
                    act(dice)
                except DomainError:
                    came["refused"] += 1
                else:
                    came[act.__name__] += 1
            return came

        return lived

    def bot_asks(self, dice) -> None:
        rows = ApiKey.objects.select_related("service_user__account", "service_user__organization")
        keys = rows.filter(service_user__organization=self.organization).order_by("pk")
        key = dice.choice([key for key in keys if key.service_user.has(Permission.WITHDRAW)])
        bot = key.service_user
        amount = dice.choice(["0.1", "0.5", "3", "40"])
        request_withdrawal(
            actor=bot, api_key=key, account=bot.account, key="btc-cold", asset="XXBT", amount=Decimal(amount)
        )

    def member_asks(self, dice) -> None:
        asker = self.member(dice.choice(["ana", "owner"]))
        account = dice.choice(self.accounts)
        request_withdrawal(actor=asker, account=account, key="btc-cold", asset="XXBT", amount=Decimal("0.2"))

    def approves(self, dice) -> None:
        self._decides(dice, approved=True)

    def rejects(self, dice) -> None:
        self._decides(dice, approved=False)

    def _decides(self, dice, *, approved) -> None:
        change = self.something_open(dice)
        if change is not None:
            member = self.member(dice.choice(["ben", "cleo", "fay"]))
            changes.decide(
                change.reference, member=member, approved=approved, digest=change.digest, proof=shown(change),
                reason="" if approved else "Not now.",
            )  # fmt: skip

    def takes_back(self, dice) -> None:
        change = self.something_open(dice)
        if change is not None:
            changes.cancel(change.reference, actor=self.member("owner"))

    def bot_cancels(self, dice) -> None:
        change = self.something_open(dice, service_user__isnull=False)
        if change is not None and change.service_user is not None:
            account_id = change.withdrawal.account_id
            cancel_withdrawal(actor=change.service_user, account_id=account_id, reference=change.withdrawal.reference)

    def trades(self, dice) -> None:
        side, price = dice.choice([(Side.BUY, Decimal(40000)), (Side.SELL, Decimal(90000))])
        order = NewOrder("XBT/USD", side, OrderKind.LIMIT, Decimal("0.01"), price)
        VENUE.place_order(dice.choice(self.accounts).pk, order)

    def configures(self, dice) -> None:
        params = ConfigurePolicy(MONEY, dice.randint(1, 2), always=True)
        propose(configure_policy, actor=self.owner, params=params)

    def pauses(self, dice) -> None:
        key = dice.choice(list(ApiKey.objects.filter(service_user__organization=self.organization)))
        pause_key(actor=self.owner, api_key=key, reason="It may have leaked.")

    def suspends(self, dice) -> None:
        bot = dice.choice(list(ServiceUser.objects.filter(organization=self.organization)))
        suspend_service_user(actor=self.owner, service_user=bot, reason="It misbehaves.")

    def lifts(self, dice) -> None:
        bot = ServiceUser.objects.filter(organization=self.organization, suspended_at__isnull=False).first()
        if bot is not None:
            propose(lift_suspension, actor=self.owner, params=LiftSuspension(bot.pk))

    def stops_member(self, dice) -> None:
        suspend_member(actor=self.owner, member=self.member(dice.choice(["ana", "fay"])), reason="Their phone is gone.")

    def adds_address(self, dice) -> None:
        account = dice.choice(self.accounts)
        name = dice.choice(["btc-cold", f"to-{token(6)}"])
        params = AddAddress(account.pk, name, "XXBT", "Bitcoin", BTC_COLD)
        propose(add_address, actor=self.owner, params=params)

    def removes_address(self, dice) -> None:
        row = Address.objects.filter(organization=self.organization, removed_at=None).exclude(key="btc-cold").first()
        if row is not None:
            propose(remove_address, actor=self.owner, params=RemoveAddress(row.account_id, row.pk, row.key))

    def looks(self, dice) -> None:
        account = dice.choice(self.accounts)
        expired_holds.release_due(account.pk)
        VENUE.balances(account.pk)

    def member(self, name) -> Member:
        return Member.objects.select_related("user", "organization").get(pk=self.world.members[name].pk)

    def something_open(self, dice, **which) -> ChangeRequest | None:
        rows = ChangeRequest.objects.of(self.organization).filter(state__in=OPEN_STATES, **which)
        found = list(rows.select_related("service_user", "withdrawal").order_by("pk")[:20])
        return dice.choice(found) if found else None


@pytest.fixture
def crowd(world) -> Crowd:
    """Two Accounts, and in each of them two bots that may withdraw."""
    owner = world.members["owner"]
    second = Account.objects.create(organization=world.organization, name="Cold", created_at=owner.joined_at)
    pay_in(second, "12")
    propose(add_address, actor=owner, params=AddAddress(second.pk, "btc-cold", "XXBT", "Bitcoin", BTC_COLD))
    for number, account in enumerate([world.account, second, second]):
        make_bot(owner, account, f"bot-{number}", ("withdraw-funds",))
    return Crowd(world)


@pytest.mark.parametrize("seed", range(3))
def test_nobody_waits_for_ever_and_everything_adds_up(crowd, seed):
    """Whoever is refused is refused by a rule: never because two waited for each other."""
    lives = together(*(crowd.life_of(1000 * seed + number) for number in range(ACTORS)))
    assert all(isinstance(life, Counter) for life in lives), lives
    assert any(isinstance(life, Counter) and life["bot_asks"] for life in lives), lives
    organization = crowd.organization
    numbers = list(ChangeRequest.objects.of(organization).order_by("pk").values_list("number", flat=True))
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert chain.verify(organization.pk) is None
    assert list(reconciliation.differences()) == []
    held = ChangeRequest.objects.of(organization).filter(operation="treasury.withdraw", state__in=OPEN_STATES)
    for account in crowd.accounts:
        waiting = sum(change.withdrawal.amount_units for change in held.filter(account=account))
        rows = {row.asset.id: row for row in VENUE.balances(account.pk)}
        assert rows["XXBT"].held_by_withdrawals_units == waiting
    assert not held.filter(api_key__paused_at__isnull=False).exists()
    assert not held.filter(service_user__suspended_at__isnull=False).exists()
    assert not ChangeRequest.objects.of(organization).filter(state=State.FAILED).exclude(reason__gt="").exists()
