"""The database that leads is lost under calls and in front of a reader: docs/runbooks/lose-the-database.md."""

import itertools
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.chaos.installation.database import SURROUNDINGS
from tests.chaos.installation.whole import BASE_URL
from tests.machines import installation, runbooks
from tests.machines.failovers.cluster import Cluster, until
from tests.machines.failovers.run import STEADY, UNAVAILABLE, Bot, calling, fail_over, what_is_wrong
from tests.machines.rehearsal.stage import Rehearsal, chromium, on
from tests.serving import ROOT

# What is promised to whoever sets it up so, on machines that have nothing else to do.
RECOVERED_WITHIN: Final = 60
HOW: Final = "plug pulled"
# Who the three with etcd are stands in the surroundings of Patroni here.
KNOWING: Final = f"set -a; . {SURROUNDINGS}; set +a\n"
ENDS_WITHIN: Final = 60


def go(rehearsal: Rehearsal) -> None:
    """Once. Raises: AssertionError if an acknowledged write is lost, or nobody was told what is the matter."""
    there = rehearsal.there
    steps = runbooks.steps("lose-the-database")
    assert sorted(steps) == [1, 2, 3, 4, 5, 6, 7]
    key, secret = installation.make_key(rehearsal.first, rehearsal.owner, "failover-bot")
    told = {"url": BASE_URL, "certificate": str(there.authority), "key": key, "secret": secret}
    cluster = Cluster(list(there.databases.machines), rehearsal.first)
    with calling(there.network, told) as bot, _looking_on(rehearsal) as seen:
        until(lambda: len(bot.acknowledged()) >= STEADY, f"a bot that is answered: {bot.errors()}")
        lost = rehearsal.primary
        by_itself = _lost(rehearsal, cluster, bot, steps)
        said = on(rehearsal.primary, steps[1][0], KNOWING)
        assert "Sync Standby" in said, said
        on(there.databases.witness, steps[2][0])
        until(bot.acknowledged, "a bot that goes on")
    for block in steps[4]:
        on(rehearsal.first, block)
    gap = _longest_without(bot)
    errors = bot.errors()
    rehearsal.say(
        f"failover: {lost.name}, which led, is lost; {gap:.1f} s without a write; it follows again "
        f"{'by itself' if by_itself else 'by reinit'}; {len(bot.acknowledged())} writes acknowledged, none lost; "
        f"others: {dict(errors)}; a reader in Chromium had the notice after {seen['came']:.1f} s and none after "
        f"{seen['gone']:.1f} s, other answers: {dict(Counter(seen['others']))}"
    )
    assert what_is_wrong(cluster, bot) == []
    assert errors[UNAVAILABLE] > 0
    assert gap < RECOVERED_WITHIN
    rehearsal.until_well()


def _lost(rehearsal: Rehearsal, cluster: Cluster, bot: Bot, steps: dict[int, list[str]]) -> bool:
    """Whether the old one followed by itself; else it is made anew, as step 3 has it."""
    lost = rehearsal.primary
    try:
        fail_over(cluster, bot, HOW)
    except AssertionError as error:
        if f"{lost.name} follows" not in str(error):
            raise
        on(rehearsal.primary, steps[3][0], f"{KNOWING}LOST={lost.name}\n")
        until(cluster.is_whole, f"{lost.name} follows after reinit")
        return False
    return True


def _longest_without(bot: Bot) -> float:
    """Seconds between two writes that were acknowledged, at most."""
    ended = sorted(line["ended"] for line in bot.acknowledged())
    return float(max(later - before for before, later in itertools.pairwise(ended)))


@contextmanager
def _looking_on(rehearsal: Rehearsal) -> Iterator[dict[str, Any]]:
    """Somebody reads meanwhile; what they saw is known afterwards."""
    there, owner = rehearsal.there, rehearsal.owner
    seen: dict[str, Any] = {}
    process = subprocess.Popen(
        there.inside([sys.executable, "-m", "tests.machines.rehearsal.onlooker"]), cwd=ROOT, env=there.callers(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    given = {
        "email": owner.email, "password": owner.password, "seed": owner.secret, "chromium": chromium(),
        "pictures": str(rehearsal.pictures),
    }  # fmt: skip
    try:
        rehearsal.next_code()
        process.stdin.write(json.dumps(given) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
        yield seen
        said, _ = process.communicate(timeout=ENDS_WITHIN)
        seen.update(json.loads(said))
    finally:
        process.kill()
        process.wait()
