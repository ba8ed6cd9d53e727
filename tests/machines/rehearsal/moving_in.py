"""What began on SQLite goes on in this installation's database, as docs/runbooks/copy-to-postgresql.md has it."""

import json
import re
from typing import Final

from tests.chaos.installation.whole import BASE_URL
from tests.machines.rehearsal.stage import Rehearsal, carried_out
from tests.serving import ROOT

OLD: Final = "/root/var"
IN_THE_OLD: Final = (
    f"PORTAL_DEBUG=1 PORTAL_VAR={OLD} PORTAL_BASE_URL={BASE_URL} /opt/countersign/current/bin/countersign"
)
HEADS: Final = re.compile(r"^organization-\d+ \d+ [0-9a-f]{64} .+$", re.MULTILINE)
ROLES: Final = "/root/countersign/postgresql/roles.sql"
KEYS: Final = "^PORTAL_SEALING_KEYS="
SETTINGS: Final = "/etc/countersign/environment"


def go(rehearsal: Rehearsal) -> None:
    """Everything, onto both nodes. Raises: AssertionError unless the heads are alike, and who came along gets in."""
    first = rehearsal.first
    rehearsal.demo = _begun_on_sqlite(rehearsal)
    before = HEADS.findall(first.shell(f"{IN_THE_OLD} verifyaudit"))
    primary = rehearsal.primary
    primary.put(ROLES, (ROOT / "deploy/postgresql/roles.sql").read_text())
    hosts, alone = rehearsal.hosts, [first]
    said = carried_out(
        "copy-to-postgresql", {1: hosts, 2: [primary], 3: alone, 4: alone, 5: alone, 6: hosts},
        after={4: lambda: _the_same_keys(rehearsal)},
    )  # fmt: skip
    assert "Copied. Both are the same." in said[3]
    copied, after = HEADS.findall(said[3]), HEADS.findall(said[5])
    assert before
    assert before == copied == after
    seconds = rehearsal.until_well()
    key, secret = rehearsal.key("treasury-bot")
    balance = rehearsal.visitor().call(key, secret, "Balance")
    assert balance["error"] == [], balance
    assert rehearsal.signed_in(rehearsal.owner)
    rehearsal.say(
        f"copy from SQLite: the heads of {len(after)} Organizations are alike on both sides and after it; well "
        f"{seconds:.0f} s after the last step; a key that came along is answered, and its Owner signs in"
    )


def _begun_on_sqlite(rehearsal: Rehearsal) -> dict[str, object]:
    welcome = rehearsal.first.shell(f"{IN_THE_OLD} demo --migrate", timeout=300)
    demo: dict[str, object] = json.loads(rehearsal.first.shell(f"cat {OLD}/demo.json"))
    return {**demo, "welcome": welcome}


def _the_same_keys(rehearsal: Rehearsal) -> None:
    """Every node seals and opens with the same ones: the line goes to the others, by a file as the runbook says."""
    line = rehearsal.first.shell(f"grep '{KEYS}' {SETTINGS}")
    kept = rehearsal.second.shell(f"grep -v '{KEYS}' {SETTINGS}")
    rehearsal.second.shell(f"cat > {SETTINGS} <<'LINES'\n{kept}{line}LINES\n")
