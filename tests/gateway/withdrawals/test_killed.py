"""Kill the portal at 200 random moments of 200 withdrawals through a faulty proxy (security CR-13)."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.database import migrated
from tests.gateway.proxy import faults
from tests.gateway.withdrawals.mortal import EACH
from tests.running import ROOT
from tests.serving import surroundings

COUNT, MEASURED = 200, 5
# How a Withdraw and a look go wrong on the way, and how often of a hundred.
WITHDRAW = (
    (9, faults.answer_lost), (5, faults.cut_before), (4, faults.reset_after), (4, faults.cut_in_the_middle),
    (4, faults.page(502, executed=True)), (4, faults.page(520, executed=False)), (4, faults.wrong_nonce),
    (4, faults.error("EService:Unavailable", executed=True)), (4, faults.error("EService:Busy")),
    (4, faults.truncated_json(executed=True)), (4, faults.slow(0.1)), (4, faults.slow(0.1, executed=False)),
)  # fmt: skip
LOOK = ((5, faults.cut_before), (5, faults.page(502, executed=False)), (5, faults.truncated_json(executed=True)))
Act = Callable[..., Any]


@contextmanager
def a_database(data: Path) -> Iterator[dict[str, str]]:
    """Where this portal keeps its rows: beside its data, or where these tests have PostgreSQL."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        migrated.begun(data)
        yield {}
        return
    name = f"killed_{os.getpid()}"
    with closing(psycopg.connect(url, autocommit=True)) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield {"DATABASE_URL": url.rpartition("/")[0] + "/" + name}
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def act(tmp_path, customer, proxy) -> Iterator[Act]:
    """A portal of its own, connected to the customer's account through the proxy."""
    data = tmp_path / "portal"
    data.mkdir()
    with a_database(data) as where:
        environment = surroundings() | {
            "DJANGO_SETTINGS_MODULE": "portal.settings", "PORTAL_DEBUG": "1", "PORTAL_VAR": str(data),
            "PORTAL_EXCHANGES": f"Test={proxy.url}", **where,
        }  # fmt: skip
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
        program = [sys.executable, "-m", "tests.gateway.withdrawals.mortal"]
        with subprocess.Popen(
            program, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:

            def does(name: str, **taken: object) -> Any:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(json.dumps({"act": name, **taken}) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
                assert line, f"the portal fell over {name}"
                return json.loads(line)

            yield does


@pytest.mark.long
def test_each_approved_one_arrives_at_most_once_none_is_forgotten_and_what_is_unknown_says_so(
    act, customer, proxy, capsys
):
    seed = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    with capsys.disabled():
        sys.stdout.write(f"\nkilled with KILL_SEED={seed}\n")
    chance = random.Random(seed)
    keys = {name: customer.keys[name] for name in ("withdraw", "rest")}
    # A few more, to see how long one takes that nobody kills.
    amounts = [f"{Decimal('0.02') + Decimal(number).scaleb(-6):f}" for number in range(COUNT + MEASURED)]
    act("prepare", keys=keys, bots=-(-len(amounts) // EACH))
    act("ask", amounts=amounts)
    proxy.whenever(lambda request: _fault(request.method, chance))
    whole = median(act("live", later=0, at_a_time=1, dies_after=60)["seconds"] for _ in range(MEASURED))
    killed = 0
    # On a machine that is less busy by now than when the time was taken, many are done before they are killed.
    for _ in range(4 * COUNT):
        killed += act("live", later=0, at_a_time=1, dies_after=chance.uniform(0, whole))["is_killed"]
        if killed == COUNT:
            break
    assert killed == COUNT
    # The portal goes on, at first as badly connected as before.
    act("live", later=0, at_a_time=COUNT)
    proxy.all_is_well()
    for later in (0, 0, 0, 0, 15, 61, 121, 601, 602, 4000):
        act("live", later=later, at_a_time=COUNT)
    act("settle")
    asked = act("account_for")
    with capsys.disabled():
        states = dict(Counter(each["state"] for each in asked))
        sys.stdout.write(f"{killed} lives ended by SIGKILL; of the requests {states}\n")
    _check(asked, customer.withdrawals(), amounts)


def _fault(method: str, chance: random.Random) -> faults.Fault | None:
    drawn = chance.uniform(0, 100)
    for weight, fault in {"Withdraw": WITHDRAW, "WithdrawStatus": LOOK}.get(method, ()):
        if drawn < weight:
            return fault
        drawn -= weight
    return None


def _check(asked: list[dict[str, Any]], there: list[dict[str, Any]], amounts: list[str]) -> None:
    arrived = Counter(Decimal(row["amount"]) + Decimal(row["fee"]) for row in there)
    assert [Decimal(each["amount"]) for each in asked] == [Decimal(amount) for amount in amounts]
    assert max(arrived.values()) == 1
    refids = {row["refid"] for row in there}
    for each in asked:
        is_there = arrived[Decimal(each["amount"])] == 1
        if each["state"] == "executed":
            assert (each["step"], is_there, each["refid"] in refids) == ("accepted", True, True), each
        elif each["state"] == "failed":
            assert (each["step"], is_there) == ("released", False), each
        else:
            said = (each["state"], each["step"], each["is_alarmed"])
            assert (*said, is_there) == ("approved", "unknown", True, False), each
    states = Counter(each["state"] for each in asked)
    assert states["executed"] == len(there) > COUNT / 2
