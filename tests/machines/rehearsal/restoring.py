"""Backups by their units, a drill, and a restore for good: docs/runbooks/back-up.md and restore.md."""

import re
import time
from collections import Counter
from functools import partial
from typing import Final

from tests.chaos.installation.waiting import until
from tests.machines import runbooks
from tests.machines.rehearsal.stage import STEP_WITHIN, Rehearsal, carried_out, on, timed

OFFLINE: Final = "/root/countersign-backup.key"
# Said on the primary, for the step after it.
TELLS: Final = "\nprintf '%s' \"$DRILL_PASSWORD\""
BACKUPS: Final = "/var/backups/countersign"
METRIC: Final = re.compile(r"^(countersign_(?:backup|drill)_age_seconds)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
# Seconds.
RECENT: Final = 300
UNITS: Final = ("backup", "drill")
# What was signed before a restore counts no more, for so long.
NOT_YET: Final = "EAPI:Invalid nonce"
ANSWERED_WITHIN: Final = 150


def go(rehearsal: Rehearsal) -> None:
    """Both runbooks. Raises: AssertionError where a step fails, or something is not as it was."""
    _backed_up(rehearsal)
    _restored(rehearsal)


def _backed_up(rehearsal: Rehearsal) -> None:
    """A first backup and a drill by hand, then both by their units, as their timers start them."""
    first = rehearsal.first
    # The other computer, which is no node.
    rehearsal.front.shell(f"age-keygen -o {OFFLINE}")
    offline = rehearsal.front.shell(f"age-keygen -y {OFFLINE}").strip()
    steps = runbooks.steps("back-up")
    assert sorted(steps) == [2, 3, 4, 5, 6]
    on(first, steps[2][0])
    password = on(rehearsal.primary, steps[3][0] + TELLS).splitlines()[-1]
    given = f"OFFLINE_KEY={offline}\nDRILL_PASSWORD={password}\n"
    said = "".join(on(first, block, given) for number in (4, 5, 6) for block in steps[number])
    assert "The drill passed: " in said
    for unit in UNITS:
        assert first.shell(f"systemctl is-enabled countersign-{unit}.timer").strip() == "enabled"
        # As the timers start them, with all that systemd keeps from them.
        seconds = timed(partial(first.run, "systemctl", "start", f"countersign-{unit}.service", timeout=STEP_WITHIN))
        rehearsal.say(f"countersign-{unit}.service took {seconds:.1f} s")
    ages = dict(METRIC.findall(first.shell("curl --silent --fail http://127.0.0.1:8000/metrics")))
    assert set(ages) == {f"countersign_{unit}_age_seconds" for unit in UNITS}, ages
    assert all(float(age) < RECENT for age in ages.values()), ages
    rehearsal.say(f"backup and drill: {ages}")


def _restored(rehearsal: Rehearsal) -> None:
    """The newest backup in the place of the database. What happened since is gone, and is said to be."""
    first, hosts = rehearsal.first, rehearsal.hosts
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "1000", "volume": "0.01"}
    lost = rehearsal.visitor().call(*rehearsal.key("trading-bot"), "AddOrder", **order)["result"]["txid"][0]
    before = first.shell("countersign verifyaudit")
    # The key is brought from the other computer.
    first.put(OFFLINE, rehearsal.front.shell(f"cat {OFFLINE}"), mode=0o600)
    given = f"BACKUP={first.shell(f'ls {BACKUPS}/*.age | tail -n 1').strip()}\nKEY={OFFLINE}\n"
    began = time.monotonic()
    said = carried_out(
        "restore", {1: hosts, 2: [rehearsal.primary], 3: [first], 4: [first], 5: [first], 6: hosts}, given=given
    )  # fmt: skip
    assert "The ledger agrees with itself." in said[4]
    rehearsal.until_well()
    seconds = time.monotonic() - began
    after = first.shell("countersign verifyaudit")
    assert after.count("\n") == before.count("\n")
    errors: Counter[str] = Counter()
    until(lambda: _answered(rehearsal, errors), ANSWERED_WITHIN, f"a bot that is answered: {errors}")
    answered = time.monotonic() - began
    assert set(errors) <= {NOT_YET}, errors
    orders = rehearsal.visitor().call(*rehearsal.key("trading-bot"), "OpenOrders")["result"]["open"]
    assert lost not in orders
    first.run("countersign", "checkledger")
    rehearsal.say(
        f"restore: {seconds:.0f} s from the first node that was stopped to an installation that is well, and a bot "
        f"was answered {answered - seconds:.0f} s later; until then {dict(errors)}"
    )


def _answered(rehearsal: Rehearsal, errors: Counter[str]) -> bool:
    errors.update(found := rehearsal.visitor().call(*rehearsal.key("trading-bot"), "Balance")["error"])
    return not found
