"""The demo's third Account, a customer's at the simulated exchange: connected, with an address and a bot of its own."""

import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.utils import timezone

from accounts.models import Account, Member, ServiceUser
from policies.changes import decide
from policies.models import ChangeRequest, State
from portal.core import call_origin
from portal.core.errors import DomainError, Unavailable
from portal.core.web.http import Proof
from portal.dashboard.demo import exchange, making, plan
from portal.treasury.models import Address
from portal.venues.kraken import exchanges
from portal.venues.kraken.calling import ask_public
from portal.venues.kraken.connection.asking import NewConnection, ask_to_connect
from portal.venues.kraken.connection.trial import Typed
from portal.venues.kraken.models import Purpose, Tier
from portal.venues.registry import venue

ACCOUNT: Final = "Real (simulated)"
BOT: Final = plan.GATEWAY_BOT
WITHDRAWALS, REST = "Withdrawals", "Everything else"
# The exchange is made and started beside; the first time that takes a while.
WAIT_SECONDS: Final = 120.0
PAUSE_SECONDS: Final = 0.2


def build(say: Callable[[str], object]) -> None:
    """Make whatever of it is missing, where `make run` has started an exchange; `say` what keeps it from being made.

    Not within a transaction: the exchange is called.
    """
    if exchanges.exchange(exchange.NAME) is None:
        return
    owner = Member.objects.select_related("user", "organization").get(organization__name=plan.DEMO, is_owner=True)
    try:
        with call_origin.origin(source="", via="demo"):
            account = _account(owner) or _connected(owner)
            if account is not None:
                _addresses(owner, account)
                _bot(owner, account)
    except DomainError as error:
        say(f"The Account {ACCOUNT} is not whole: {error.message} The next `make run` tries again.")


def _account(owner: Member) -> Account | None:
    return Account.objects.filter(organization=owner.organization, name=ACCOUNT).first()


def _connected(owner: Member) -> Account | None:
    """None where others have to agree first, by a policy that was set meanwhile."""
    held = _when_there()
    if held is None or _asked("kraken.connect", owner):
        return None
    typed = NewConnection(
        exchange=exchange.NAME,
        name=ACCOUNT,
        tier=Tier.PRO,
        credentials=(
            Typed(Purpose.WITHDRAW, WITHDRAWALS, held.withdrawing.public, held.withdrawing.secret, "withdraw_"),
            Typed(Purpose.REST, REST, held.rest.public, held.rest.secret, "rest_"),
        ),
    )
    ask_to_connect(owner, typed, note="As `make run` starts it.")
    return _account(owner)


def _when_there() -> exchange.Credentials | None:
    """The credentials, once the exchange has been made; whether it answers by now is found by using them."""
    if not (settings.VAR / exchange.FOLDER).is_dir():
        return None
    ends = time.monotonic() + WAIT_SECONDS
    while (held := exchange.credentials()) is None or not _answers():
        if time.monotonic() > ends:
            return held
        time.sleep(PAUSE_SECONDS)
    return held


def _answers() -> bool:
    listed = exchanges.exchange(exchange.NAME)
    try:
        return listed is not None and not ask_public(listed.url, "Time").errors
    except Unavailable:
        return False


def _addresses(owner: Member, account: Account) -> None:
    """Import what the exchange lists in its own book; the demo's people agree, as the policy wants them to.

    Raises: Unavailable if the exchange does not say what it lists, and how money can leave it.
    """
    if Address.objects.filter(account=account).exists() or _asked("treasury.add_address", owner, account):
        return
    real = venue(account.venue)
    real.withdrawal_methods()
    listing = real.read_listed_addresses(account.pk)
    for row in listing.rows if listing else ():
        change = making.address(
            owner, account, key=row.key, asset=row.asset, method=row.method, address=row.address, memo=row.memo
        )
        _agree(change)


def _bot(owner: Member, account: Account) -> None:
    if not ServiceUser.objects.filter(organization=owner.organization, name=BOT).exists():
        making.bot(owner, account, BOT, plan.EVERYTHING)


def _asked(operation: str, owner: Member, account: Account | None = None) -> bool:
    """Whether it waits already: an earlier start has asked."""
    waiting = ChangeRequest.objects.filter(organization=owner.organization, operation=operation, state=State.PENDING)
    return any(account is None or change.params.get("account_id") == account.pk for change in waiting)


def _agree(change: ChangeRequest) -> None:
    """Let the demo's people approve what waits for them, each with a second factor shown for it."""
    for email, _, _ in plan.PEOPLE[1:4]:
        change.refresh_from_db()
        if change.state != State.PENDING:
            return
        member = Member.objects.select_related("user", "organization").get(
            user__email=email, organization=change.organization_id
        )
        proof = Proof(factor="totp", at=timezone.now(), change=change.reference, digest=change.digest)
        decide(change.reference, member=member, approved=True, digest=change.digest, proof=proof)
