"""The story of tests/browser/test_story.py, at the installation's one address, with a socket that is told of it."""

import json
import subprocess
import sys
from typing import Final

from tests.chaos.installation.whole import BASE_URL
from tests.machines import installation
from tests.machines.rehearsal import listening
from tests.machines.rehearsal.stage import Rehearsal, chromium
from tests.serving import HOST, ROOT
from tests.soak.player import Player

STORY: Final = "tests/browser/test_story.py"
ENDS_WITHIN: Final = 900
ORDER: Final = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001"}
# Of the withdrawals that were sent since the story began.
SENT: Final = """
import json
from portal.treasury.models import Withdrawal
from policies.models import ChangeRequest
rows = Withdrawal.objects.exclude(sent_at=None).filter(pk__gt={last}).values_list("reference", "change__reference")
print(json.dumps(list(rows)))
"""
LAST: Final = """
from portal.treasury.models import Withdrawal
print(Withdrawal.objects.order_by("-pk").values_list("pk", flat=True).first() or 0)
"""
CHECKS: Final = ("verifyaudit", "checkledger")


def go(rehearsal: Rehearsal) -> None:
    """All of it. Raises: AssertionError where it stops, or the socket was not told."""
    first = rehearsal.first
    listener = installation.make_key(first, rehearsal.owner, "listening-bot")
    player = Player(1, "Demo Treasury", "Main", *listener, source="")
    last = int(_asked(rehearsal, LAST))
    # The Owner's present one is spent: they have just signed in.
    rehearsal.next_code()
    with listening.to([player], rehearsal) as heard:
        said = _told(rehearsal)
        txid = _an_order(rehearsal)
    sent = json.loads(_asked(rehearsal, SENT.format(last=last)))
    assert len(sent) == 2, sent
    assert any(row["order_id"] == txid for row in heard.of("executions")), heard.messages[-5:]
    moved = {row.get("ref_id") for row in heard.of("balances")}
    assert {reference for reference, _ in sent} <= moved, (sent, moved)
    status, history, _ = rehearsal.visitor().get("/history/", rehearsal.signed_in(rehearsal.owner))
    assert status == 200
    assert all(change in history for _, change in sent), "the history does not show what was sent"
    for command in CHECKS:
        first.run("countersign", command)
    rehearsal.say(
        f"story: {said}; the socket was told of order {txid} and of {len(sent)} withdrawals that were sent, in "
        f"{heard.sessions} sessions and {heard.frames} messages; {' and '.join(CHECKS)} find nothing"
    )


def _an_order(rehearsal: Rehearsal) -> str:
    """A bot that came along trades."""
    answer = rehearsal.visitor().call(*rehearsal.key("trading-bot"), "AddOrder", **ORDER)
    assert answer["error"] == [], answer
    return str(answer["result"]["txid"][0])


def _told(rehearsal: Rehearsal) -> str:
    """The test itself, told where the portal stands; and how it ended."""
    file = rehearsal.folder / "standing.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({**rehearsal.demo, "base_url": BASE_URL}))
    there = rehearsal.there
    environment = there.callers() | {
        "STANDING_PORTAL": str(file), "CHROMIUM": chromium(), "PICTURES": str(rehearsal.pictures / "story"),
        "PORTAL_DEBUG": "1", "PORTAL_VAR": str(rehearsal.folder / "var"),
    }  # fmt: skip
    (rehearsal.folder / "var").mkdir(exist_ok=True)
    hosts = f"--allow-hosts=127.0.0.1,::1,localhost,{HOST},{rehearsal.front.address}"
    program = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", hosts, STORY]
    done = subprocess.run(
        there.inside(program), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=ENDS_WITHIN,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


def _asked(rehearsal: Rehearsal, script: str) -> str:
    return rehearsal.first.run("countersign", "shell", given=script).stdout.splitlines()[-1]
