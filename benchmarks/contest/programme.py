"""The contests of one run, and what has to be there before: orders and trades for the lists to show."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from django.db import connection

from benchmarks.contest import contestants
from benchmarks.contest.contestants import CONNECTIONS, Contest, PeerKey
from benchmarks.contest.readings import Readings
from benchmarks.contest.rounds import Field, ask_each
from benchmarks.found import Options
from benchmarks.ground.servers import BY_WSGI, PORTAL, Server
from benchmarks.ground.world import Bot, World
from benchmarks.load import answers
from benchmarks.load.signing import signed

# Orders of each bot whose lists are read: so many were filled, and so many rest.
FILLED, RESTING = 30, 5
# What contests take longer than one stretch of time, as they have fewer calls in it.
LONGER: Final = {"AddOrder": 1.5, "Withdraw, with a policy": 1.5}


def run(
    servers: Mapping[str, Server],
    world: World,
    keys: Sequence[PeerKey],
    options: Options,
    database: Callable[[], list[int]],
    progress: Callable[[str], None],
) -> Readings:
    """All rounds of all contests. Raises: BadAnswer."""
    orders = {bot.account_id: _trade(servers[BY_WSGI], bot) for bot in world.readers}
    # As autovacuum has done wherever orders have been placed for a minute.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    progress("orders and trades are there")
    contests = [
        *(contestants.balances(servers, world, keys, number) for number in CONNECTIONS),
        contestants.lists(servers, world, keys, orders),
        contestants.orders(servers[PORTAL], world),
        contestants.withdrawals(servers[PORTAL], world),
    ]
    return Field(contests, database).run(options.rounds, _seconds(contests, options.seconds), progress)


def _trade(server: Server, bot: Bot) -> str:
    """Orders of that bot; the id of one that stays open."""
    filled = signed(bot.key, "AddOrder", lambda _: FILL)
    resting = signed(bot.key, "AddOrder", lambda _: REST)
    got = ask_each(server.port, [filled] * FILLED + [resting] * RESTING)
    return str(answers.result(got[-1])["txid"][0])


FILL: Final = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}
REST: Final = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "900", "volume": "0.01"}


def _seconds(contests: Sequence[Contest], seconds: float) -> dict[str, float]:
    return {contest.title: seconds * LONGER.get(contest.title, 1.0) for contest in contests}
