"""A node is lost under calls, and another machine takes its place, as docs/runbooks/lose-a-node.md has it."""

import shutil
from collections import Counter
from typing import Final

from tests.chaos.installation import nodes
from tests.chaos.installation.waiting import until
from tests.chaos.installation.whole import BASE_URL
from tests.machines import bots, installation, runbooks
from tests.machines.carried_out import hands
from tests.machines.installation import BROUGHT
from tests.machines.rehearsal.stage import Rehearsal, on, timed

# HAProxy looks every 2 seconds, and believes the second silence.
LEFT_OUT_WITHIN: Final = 15
STATE: Final = "echo 'show servers state nodes' | socat - /run/haproxy/admin.sock | awk '$4 == \"{name}\" {{print $6}}'"
DOWN, UP = "0", "2"
# One call at most was under way; and until the node is left out one that begins anew may come to nothing as well.
LOST_AT_MOST: Final = 3
GONE: Final = ("upper", "work")


def go(rehearsal: Rehearsal) -> None:
    """The second one. Raises: AssertionError unless the first does its work, and the new one is like it."""
    there, first, second = rehearsal.there, rehearsal.first, rehearsal.second
    steps = runbooks.steps("lose-a-node")
    assert sorted(steps) == [1, 2, 4, 5]
    key = rehearsal.key("trading-bot")
    with bots.calling(there.network, BASE_URL, there.authority, key, rehearsal.folder) as told:
        second.kill()
        left_out = timed(lambda: until(lambda: _state(rehearsal) == DOWN, LEFT_OUT_WITHIN, "HAProxy leaves it out"))
        said = on(first, steps[1][0])
        assert '"ready": true' in said
        assert said.endswith("active\nactive\nactive\n"), said
        last = [line for line in on(rehearsal.front, steps[2][0]).splitlines() if second.name in line][-1]
        assert f"{second.name} is DOWN" in last
        made = timed(lambda: _made_anew(rehearsal, steps))
    rehearsal.say(
        f"a node is lost: HAProxy leaves it out after {left_out:.1f} s; its place is taken {made:.0f} s later; "
        f"meanwhile {told.answered} calls answered, {len(told.failed)} failed: {dict(Counter(told.failed))}, the "
        f"longest took {told.longest:.1f} s"
    )
    assert told.answered > 20
    assert len(told.failed) <= LOST_AT_MOST


def _made_anew(rehearsal: Rehearsal, steps: dict[int, list[str]]) -> None:
    """A machine of the same name with an empty disk."""
    first, second = rehearsal.first, rehearsal.second
    for name in GONE:
        shutil.rmtree(second.folder / name)
    second.start()
    second.put("/etc/hosts", first.shell("cat /etc/hosts"))
    # The mail server's authority, which this house has everywhere.
    nodes.bring_certificates(second, rehearsal.there.certificates)
    installation.bring(second, rehearsal.release)
    hands.bring_what_is_left(first, second)
    on(second, f"cd {BROUGHT}\n{steps[4][0]}")
    on(rehearsal.front, steps[5][0])
    until(lambda: _state(rehearsal) == UP, LEFT_OUT_WITHIN, "HAProxy takes it in again")
    rehearsal.until_well()


def _state(rehearsal: Rehearsal) -> str:
    return rehearsal.front.shell(STATE.format(name=rehearsal.second.name)).strip()
