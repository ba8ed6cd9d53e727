"""`make failovers`: many on one cluster, a table of how long each took, and what waiting for the replica costs."""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.machines import installation, networks
from tests.machines.failovers import cluster as clusters
from tests.machines.failovers.cluster import Cluster, until
from tests.machines.failovers.run import STEADY, Bot, fail_over, trading, what_is_wrong

HOWS: Final = ("plug pulled", "cut off")
COMMITS: Final = ("local", "on", "remote_apply")
# Seconds of one measurement, and how often each way is measured, one after the other.
MEASURED, TURNS = 8.0, 3


def main() -> int:
    """So many of each kind. 1 if anything that was acknowledged is lost, or is there twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    folder = Path(tempfile.mkdtemp(prefix="countersign-failovers-"))
    _say("machines, Patroni and the portal are being set up")
    with networks.laid() as network, clusters.running(network, folder / "machines", installation.release()) as cluster:
        with trading(cluster, folder) as bot:
            until(lambda: len(bot.acknowledged()) > STEADY, f"a bot that is answered: {bot.errors()}")
            found = []
            for how in HOWS * rounds:
                found.append(fail_over(cluster, bot, how))
                _say(str(found[-1]))
            _cost(cluster, bot)
        wrong = what_is_wrong(cluster, bot)
    for how in HOWS:
        seconds = [each.seconds for each in found if each.how == how]
        _say(f"{how:12} min {min(seconds):.1f} s  median {statistics.median(seconds):.1f} s  max {max(seconds):.1f} s")
    _say(f"{len(bot.acknowledged())} writes were acknowledged; not acknowledged: {dict(bot.errors())}")
    _say("\n".join(wrong) or "all of them are there once; verifyaudit and checkledger find nothing")
    return 1 if wrong else 0


def _cost(cluster: Cluster, bot: Bot) -> None:
    """Writes in a second by what a commit waits for, in turns: this disk, the other one, or what it shows."""
    rates: dict[str, list[float]] = {commit: [] for commit in COMMITS}
    for commit in COMMITS * TURNS:
        cluster.sql(f"ALTER ROLE countersign_web SET synchronous_commit = '{commit}'")
        # For sessions that begin from now on.
        cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'countersign_web'")
        time.sleep(1)
        began = time.time()
        time.sleep(MEASURED)
        rates[commit].append(len(bot.acknowledged(began)) / (time.time() - began))
    cluster.sql("ALTER ROLE countersign_web RESET synchronous_commit")
    cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'countersign_web'")
    for commit, found in rates.items():
        _say(f"synchronous_commit {commit:12} {statistics.median(found):6.1f} writes a second, one after the other")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
