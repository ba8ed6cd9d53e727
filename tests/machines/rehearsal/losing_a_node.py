"""A node is lost under calls, another machine takes its place: docs/runbooks/lose-a-node.md and install.md."""

import shutil
from collections import Counter
from typing import Final

from tests.chaos.installation import nodes
from tests.chaos.installation.waiting import until
from tests.chaos.installation.whole import BASE_URL
from tests.machines import bots, installation
from tests.machines.installation import BROUGHT
from tests.machines.rehearsal.stage import Rehearsal, carried_out, on, timed

# HAProxy looks every 2 seconds, and believes the second silence.
LEFT_OUT_WITHIN: Final = 15
STATE: Final = "echo 'show servers state nodes' | socat - /run/haproxy/admin.sock | awk '$4 == \"{name}\" {{print $6}}'"
DOWN, UP = "0", "2"
# One call at most was under way; and until the node is left out one that begins anew may come to nothing as well.
LOST_AT_MOST: Final = 3
OTHER: Final = "/root/environment"
SETTINGS: Final = "/etc/countersign/environment"
GONE: Final = ("upper", "work")


def go(rehearsal: Rehearsal) -> None:
    """The second one. Raises: AssertionError unless the first does its work, and the new one is like it."""
    there, first, second = rehearsal.there, rehearsal.first, rehearsal.second
    key = rehearsal.key("trading-bot")
    with bots.calling(there.network, BASE_URL, there.authority, key, rehearsal.folder) as told:
        second.kill()
        left_out = timed(lambda: until(lambda: _state(rehearsal) == DOWN, LEFT_OUT_WITHIN, "HAProxy leaves it out"))
        said = carried_out("lose-a-node", {1: [first]})
        assert '"ready": true' in said[1]
        assert said[1].endswith("active\nactive\nactive\n"), said[1]
        made = timed(lambda: _made_anew(rehearsal))
    rehearsal.say(
        f"a node is lost: HAProxy leaves it out after {left_out:.1f} s; its place is taken {made:.0f} s later; "
        f"meanwhile {told.answered} calls answered, {len(told.failed)} failed: {dict(Counter(told.failed))}, the "
        f"longest took {told.longest:.1f} s"
    )
    assert told.answered > 20
    assert len(told.failed) <= LOST_AT_MOST


def _made_anew(rehearsal: Rehearsal) -> None:
    """A machine with an empty disk, which is given the settings of the first: install.md, a second node."""
    first, second = rehearsal.first, rehearsal.second
    for name in GONE:
        shutil.rmtree(second.folder / name)
    second.start()
    second.put("/etc/hosts", first.shell("cat /etc/hosts"))
    installation.bring(second, rehearsal.release)
    second.put(OTHER, first.shell(f"cat {SETTINGS}"), mode=0o600)
    nodes.bring_certificates(second, rehearsal.there.certificates)
    on(second, f"cd {BROUGHT} && ./install.sh --environment {OTHER} {' '.join(nodes.CERTIFICATE)}\nrm {OTHER}\n")
    nodes.stand_behind(second, rehearsal.front.address)
    until(lambda: _state(rehearsal) == UP, LEFT_OUT_WITHIN, "HAProxy takes it in again")
    rehearsal.until_well()


def _state(rehearsal: Rehearsal) -> str:
    return rehearsal.front.shell(STATE.format(name=rehearsal.second.name)).strip()
