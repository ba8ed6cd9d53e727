"""What a customer of the exchange has there: money, addresses, and credentials of every sort."""

from dataclasses import dataclass
from typing import Final

from accounts.models.service_user import Permission

WITHDRAWING: Final = (Permission.WITHDRAW.value,)
EVERYTHING: Final = tuple(permission.value for permission in Permission)
THE_REST: Final = tuple(permission for permission in EVERYTHING if permission not in WITHDRAWING)
HERE: Final = ("127.0.0.1",)
# In nanoseconds, as the nonces of the gateway: five seconds in which calls may overtake each other.
WINDOW: Final = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of credential. `days` is when it expires."""

    permissions: tuple[str, ...]
    window: int = 0
    sources: tuple[str, ...] = HERE
    days: int | None = None
    account: str = "Main"


# By these names tests ask for them. The first three are what a gateway should be given.
KINDS: Final[dict[str, Kind]] = {
    "withdraw": Kind(WITHDRAWING),
    "rest": Kind(THE_REST, window=WINDOW),
    "rest in order": Kind(THE_REST),
    "everything": Kind(EVERYTHING),
    "nearly nothing": Kind((Permission.QUERY_LEDGER.value,)),
    "of another account": Kind(EVERYTHING, account="Other"),
    "withdraw with a window": Kind(WITHDRAWING, window=WINDOW),
    "withdraw from anywhere": Kind(WITHDRAWING, sources=()),
    "withdraw from elsewhere": Kind(WITHDRAWING, sources=("198.51.100.7",)),
    "withdraw for three days": Kind(WITHDRAWING, days=3),
}
MONEY: Final = {
    "Main": (
        ("BTC", "12.5"), ("ETH", "210"), ("USD", "480000"), ("EUR", "96000.5"), ("USDC", "25000"), ("SOL", "1500"),
    ),
    "Other": (("BTC", "1"), ("USD", "1000")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Destination:
    """An address in a customer's book at the exchange, by the exchange's own ids."""

    key: str
    asset: str
    method: str
    address: str
    memo: str = ""


ADDRESSES: Final = (
    Destination("btc-cold", "XXBT", "Bitcoin", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
    Destination("eth-cold", "XETH", "Ether (Hex)", "0x52908400098527886E0F7030069857D2E4169EE7"),
    Destination("usd-bank", "ZUSD", "Bank transfer", "BUKBGB22/GB33BUKB20201555555555/Demo Treasury Ltd"),
)
