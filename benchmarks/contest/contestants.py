"""Who is asked for what in each contest, with what over each connection, and what a right answer is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import connection

from benchmarks.ground.servers import BY_WSGI, DURABLE, PORTAL, Server
from benchmarks.ground.world import ADDRESS, Bot, World
from benchmarks.load import answers
from benchmarks.load.generator import Check
from benchmarks.load.signing import Key, Requests, in_turn, plain, signed
from benchmarks.peers.balances import SELECT, amounts

# What is sent over one connection, and what makes the check of the answers to it.
Lane = tuple[Requests, Callable[[], Check]]
CONNECTIONS: Final = (8, 1, 32)
MANY, READERS = 16, 8
# Far below what they cost, so that orders rest.
RESTING: Final = (
    ("XBTUSD", "1000"), ("XBTEUR", "1000"), ("XBTUSDC", "1000"), ("ETHUSD", "100"), ("ETHEUR", "100"),
    ("ETHUSDC", "100"), ("SOLUSD", "5"), ("SOLEUR", "5"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contestant:
    """One of those that are asked in turns. `afterwards` clears away what it left, untimed."""

    name: str
    server: Server
    lanes: Sequence[Lane]
    afterwards: Sequence[Requests] = ()


@dataclass(frozen=True, slots=True)
class Contest:
    """What is asked, and of whom, one after the other in each round."""

    title: str
    contestants: list[Contestant] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PeerKey:
    """What a peer knows a bot by: its row and key among the peers' own, and `other`, the key of peer d."""

    account: int
    id: int
    key: Key
    other: str


def balances(servers: Mapping[str, Server], world: World, keys: Sequence[PeerKey], number: int) -> Contest:
    """`Balance`, or what the peer has instead, over so many connections, each with a key of its own."""
    bots, theirs = world.bots[:number], keys[:number]
    signed_by_peers = [(signed(each.key, "Balance"), _balances(each.account)) for each in theirs]
    asked = [(signed(bot.key, "Balance"), _balances(bot.account_id)) for bot in bots]
    select = [(plain(f"/balance/{each.account}", each.key), _balances(each.account)) for each in theirs]
    rest = [
        (plain(f"/balance/{each.account}", each.key, f"Authorization: Api-Key {each.other}"), _balances(each.account))
        for each in theirs
    ]
    count = [(plain(f"/count/{each.id}", each.key), lambda: answers.rising("calls")) for each in theirs]
    lanes = {
        "b": select, "c": count, "d": rest, "g": signed_by_peers, "hw": signed_by_peers, PORTAL: asked, BY_WSGI: asked,
        DURABLE: asked,
    }  # fmt: skip
    return Contest(
        f"Balance, {_connections(number)}",
        [Contestant(name, servers[name], lanes[name]) for name in lanes],
    )


def lists(servers: Mapping[str, Server], world: World, keys: Sequence[PeerKey], orders: Mapping[int, str]) -> Contest:
    """What reads orders, trades and the ledger, beside peer b; `orders` has the txid of one order of each Account."""
    bots = world.readers
    select = [(plain(f"/balance/{each.account}", each.key), _balances(each.account)) for each in keys[:READERS]]
    contest = Contest(f"Lists, {_connections(READERS)}", [Contestant("b", servers["b"], select)])
    for method, name in (("OpenOrders", "open"), ("TradesHistory", "trades"), ("Ledgers", "ledger")):
        lanes = [(signed(bot.key, method), _holding(name)) for bot in bots]
        contest.contestants.append(Contestant(method, servers[BY_WSGI], lanes))
    query = [
        (signed(bot.key, "QueryOrders", _same(txid=orders[bot.account_id])), _holding(orders[bot.account_id]))
        for bot in bots
    ]
    contest.contestants.append(Contestant("QueryOrders", servers[BY_WSGI], query))
    return contest


def orders(server: Server, world: World) -> Contest:
    """Limit orders that rest: one connection, as many Accounts of one Organization, as many Organizations."""
    contest = Contest("AddOrder")
    for name, bots in _layouts(world).items():
        lanes = [(signed(bot.key, "AddOrder", _resting), _holding("txid")) for bot in bots]
        cleared = [signed(bot.key, "CancelAll") for bot in bots]
        contest.contestants.append(Contestant(name, server, lanes, cleared))
    return contest


def withdrawals(server: Server, world: World) -> Contest:
    """Withdrawals that wait for an approval, in the same three ways; and one bot among very many."""
    contest = Contest("Withdraw, with a policy")
    for name, bots in {**_layouts(world), "1 connection, among all keys": [world.crowded]}.items():
        asked = _same(asset="XBT", key=ADDRESS, amount="0.001")
        lanes = [(in_turn([signed(key, "Withdraw", asked) for key in bot.keys]), _holding("refid")) for bot in bots]
        contest.contestants.append(Contestant(name, server, lanes))
    return contest


def _layouts(world: World) -> dict[str, list[Bot]]:
    return {
        _connections(1): world.apart[:1],
        f"{MANY} Accounts of one Organization": world.together[:MANY],
        f"{MANY} Organizations": world.apart[:MANY],
    }


def _connections(number: int) -> str:
    return "1 connection" if number == 1 else f"{number} connections"


def _balances(account: int) -> Callable[[], Check]:
    """What the Account has as of now; nothing changes it while it is asked for."""

    def check() -> Check:
        with connection.cursor() as cursor:
            cursor.execute(SELECT, [account])
            return answers.giving(amounts(cursor.fetchall()))

    return check


def _holding(name: str) -> Callable[[], Check]:
    return lambda: answers.holding(name)


def _same(**said: str) -> Callable[[int], Mapping[str, str]]:
    return lambda _: said


def _resting(number: int) -> Mapping[str, str]:
    pair, price = RESTING[number % len(RESTING)]
    return {"pair": pair, "type": "buy", "ordertype": "limit", "price": price, "volume": "0.5"}
