"""What one call of each kind takes exactly, of the portal and of its peers."""

from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.contest.contestants import PeerKey
from benchmarks.counting import question
from benchmarks.counting.counted import Count
from benchmarks.counting.question import Question
from benchmarks.ground.servers import PEERS, peer_environment
from benchmarks.ground.world import ADDRESS, Bot, World

PORTAL_WSGI: Final = "portal.wsgi:application"
PEER_WSGI: Final = "benchmarks.peers.wsgi:application"
LIMIT: Final = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "800", "volume": "0.01"}
MARKET: Final = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}
WITHDRAWAL: Final = {"asset": "XBT", "key": ADDRESS, "amount": "0.001"}


def count(
    database_url: str, production: Mapping[str, str], keys: Mapping[str, str], world: World, theirs: Sequence[PeerKey]
) -> dict[str, Count]:
    """By what is called: a peer's letter, or a method of the portal. Raises: CalledProcessError."""
    found = question.count(PORTAL_WSGI, production, _portal(world.readers[0]))
    for peer in PEERS:
        asked = _peer(peer, theirs[0])
        found |= question.count(PEER_WSGI, peer_environment(database_url, peer, keys), [asked])
    return found


def _portal(bot: Bot) -> list[Question]:
    return [
        *(Question(method, bot.key, method) for method in ("Balance", "OpenOrders", "TradesHistory", "Ledgers")),
        Question("AddOrder", bot.key, "AddOrder", fields=LIMIT),
        Question("AddOrder, at the market", bot.key, "AddOrder", fields=MARKET),
        Question("Withdraw, with a policy", bot.key, "Withdraw", fields=WITHDRAWAL),
    ]


def _peer(peer: str, key: PeerKey) -> Question:
    if peer in {"g", "hw"}:
        return Question(peer, key.key, "Balance")
    if peer == "c":
        return Question(peer, key.key, path=f"/count/{key.id}")
    headers = (f"Authorization: Api-Key {key.other}",) if peer == "d" else ()
    return Question(peer, key.key, path=f"/balance/{key.account}", headers=headers)
