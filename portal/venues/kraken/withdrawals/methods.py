"""The ways out that the exchange says it has, as it last said them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from portal.core.errors import DomainError, Unavailable
from portal.venues.errors import UnknownMethod
from portal.venues.kraken import calling
from portal.venues.kraken.credentials.finding import for_withdrawals
from portal.venues.kraken.models import TROUBLE_LENGTH, Connection, Snapshot
from portal.venues.kraken.reading import shapes, snapshots
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost, NotSent
from portal.venues.kraken.upstream.room import asking
from portal.venues.kraken.withdrawal_rows import ASSET_LENGTH, METHOD_LENGTH
from portal.venues.kraken.withdrawals.rows import AssetOf
from portal.venues.types import WithdrawalMethod

PART: Final = "withdrawal-methods"
OLD: Final = timedelta(minutes=10)
PAUSE: Final = timedelta(seconds=30)
SECONDS: Final = 5.0
NEVER: Final = "The exchange has not said yet how money can leave it. Try again in a moment."


def methods(asset_of: AssetOf) -> Sequence[WithdrawalMethod]:
    """Every way out that any exchange of the Accounts has, the first one's word first.

    What was never read, or long ago, is read again, but for inside of a transaction. Raises: Unavailable if none has
    ever said.
    """
    _refresh_old()
    answers = _answers()
    if not answers:
        raise Unavailable(NEVER)
    found: dict[tuple[str, str], WithdrawalMethod] = {}
    for answer in answers:
        for method in parsed(answer, asset_of):
            found.setdefault((method.asset.id, method.name.lower()), method)
    return list(found.values())


def method(asset: str, name: str, asset_of: AssetOf) -> WithdrawalMethod:
    """The way out of the asset that is called `name`. Raises: UnknownAsset, UnknownMethod, Unavailable."""
    wanted = asset_of(asset)
    for each in methods(asset_of):
        if each.asset.id == wanted.id and each.name.lower() == name.lower():
            return each
    raise UnknownMethod(f"{wanted.code} cannot leave by {name}.", field="method")


def refresh(account_id: int) -> None:
    """Ask the exchange of that Account. Raises: Unavailable if it does not say."""
    credential = for_withdrawals(account_id)
    exchange = Connection.objects.get(account=account_id).exchange
    # A page waits no longer for this and all else that it asks together.
    seconds = max(snapshots.LEAST_SECONDS, min(SECONDS, snapshots.patience(SECONDS)))
    try:
        with asking(account_id):
            answer = calling.ask(credential, "WithdrawMethods", seconds=seconds, patience=seconds)
        if answer.errors:
            raise Unavailable(f"The exchange answered: {', '.join(answer.errors)}."[:TROUBLE_LENGTH])
        _rows(answer.decoded())
    except (NotSent, AnswerLost, Unavailable) as error:
        _note(exchange, error.message)
        raise
    _keep(exchange, answer)


def parsed(answer: Any, asset_of: AssetOf) -> Iterable[WithdrawalMethod]:  # noqa: ANN401  (whatever JSON can be)
    """What an answer of WithdrawMethods holds; rows of another shape, or of assets that nobody knows, are none.

    `fee` is left out by some exchanges: what a withdrawal takes is asked with its amount in any case.
    """
    for row in answer:
        try:
            name, asset = str(row["method"]), asset_of(str(row["asset"]))
            fee, minimum = _fee(row.get("fee")), shapes.number(row, "minimum", "0")
        except (KeyError, TypeError, AttributeError, shapes.OtherShape, DomainError):
            continue
        network = str(row.get("network") or name)
        if fee < 0 or minimum < 0 or not _is_kept(asset.id, name, network):
            continue
        yield WithdrawalMethod(asset, name, network, fee, minimum, told=row)


def _is_kept(asset: str, name: str, network: str) -> bool:
    """Whether a withdrawal this way has room for its names: longer ones no exchange has, and nobody could send."""
    return max(len(name), len(network)) <= METHOD_LENGTH and len(asset) <= ASSET_LENGTH


def _fee(said: Any) -> Decimal:  # noqa: ANN401  (a number, a text, or an object with one)
    value = said.get("fee") if isinstance(said, dict) else said
    return Decimal(0) if value in (None, "", False) else shapes.exact(value)


def _refresh_old() -> None:
    """Have each exchange of a connected Account say it again, if that was long ago."""
    if not calling.may_ask():
        return
    now = timezone.now()
    known = {row.exchange: row for row in Snapshot.objects.filter(account=None, part=PART)}
    for exchange in _connected():
        row = known.get(exchange)
        if row is not None and row.tried_at > now - PAUSE:
            continue
        if row is None or row.read_at is None or row.read_at < now - OLD:
            _ask_any(exchange)


def _ask_any(exchange: str) -> None:
    """By the credential of whichever Account has one: the answer is everybody's."""
    accounts = Connection.objects.filter(exchange=exchange, disconnected_at=None).order_by("pk")
    for account_id in list(accounts.values_list("account", flat=True)):
        if snapshots.patience() < snapshots.LEAST_SECONDS:
            return
        try:
            refresh(account_id)
        except Unavailable:
            continue
        return


def _connected() -> list[str]:
    rows = Connection.objects.filter(disconnected_at=None).order_by("exchange")
    return list(rows.values_list("exchange", flat=True).distinct())


def _answers() -> list[Any]:
    rows = Snapshot.objects.filter(account=None, part=PART).exclude(answer="").order_by("exchange")
    return [Answer(b"", "", (), (), row.answer.encode()).decoded() for row in rows]


def _rows(result: Any) -> list[Any]:  # noqa: ANN401  (whatever JSON can be)
    if not isinstance(result, list):
        raise AnswerLost("The exchange answered a list of another shape.")
    return result


def _keep(exchange: str, answer: Answer) -> None:
    now, said = timezone.now(), (answer.result or b"").decode()
    fields = {"answer": said, "read_at": now, "tried_at": now, "trouble": ""}
    Snapshot.objects.update_or_create(account=None, exchange=exchange, part=PART, defaults=fields)


def _note(exchange: str, trouble: str) -> None:
    fields = {"tried_at": timezone.now(), "trouble": trouble[:TROUBLE_LENGTH]}
    Snapshot.objects.update_or_create(account=None, exchange=exchange, part=PART, defaults=fields)
