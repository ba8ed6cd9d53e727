"""From the release before to this one, as docs/runbooks/upgrade.md has it, while a bot calls without a pause."""

from collections import Counter
from typing import Final

from tests.chaos.installation import nodes
from tests.chaos.installation.whole import BASE_URL
from tests.machines import bots, installation, runbooks
from tests.machines.machine import Machine
from tests.machines.rehearsal import listening
from tests.machines.rehearsal.stage import Rehearsal, on
from tests.release import release as this_release
from tests.soak.player import Player

ORGANIZATION: Final = "Example Ltd"
# The steps of which each balancer has its own way; what ends connections that are kept runs on the node.
BALANCER, DRAINED = "haproxy", "drained"
ERRORS: Final = "/var/log/nginx/error.log"


def go(rehearsal: Rehearsal) -> None:
    """Both nodes, one after the other. Raises: AssertionError if a call came to nothing or a node is not as it says."""
    before = {str(rehearsal.readyz(node)["version"]) for node in rehearsal.there.nodes}
    first = rehearsal.first
    owner = installation.found(first, ORGANIZATION)
    installation.fund(first, ORGANIZATION)
    key, listener = (installation.make_key(first, owner, name) for name in ("treasury-bot", "listening-bot"))
    rehearsal.bring()
    player = Player(1, ORGANIZATION, "Main", *listener, source="")
    with (
        listening.to([player], rehearsal) as heard,
        bots.calling(rehearsal.there.network, BASE_URL, rehearsal.there.authority, key, rehearsal.folder) as told,
    ):
        _as_written(rehearsal)
        seconds = rehearsal.until_well()
    for node in (rehearsal.first, rehearsal.second):
        _take_over(rehearsal, node)
    versions = [rehearsal.readyz(node)["version"] for node in rehearsal.there.nodes]
    rehearsal.say(
        f"upgrade from {before} to {set(versions)}: {told.answered} calls answered, "
        f"{len(told.failed)} failed, the longest took {told.longest:.2f} s; well {seconds:.0f} s after the last step; "
        f"sockets: {heard.sessions} sessions, {heard.frames} messages"
    )
    assert versions == [this_release()] * 2
    failed = Counter(told.failed)
    assert failed == {}, failed
    assert told.answered > 20
    assert heard.frames > 0


def _as_written(rehearsal: Rehearsal) -> None:
    first, second, front = rehearsal.first, rehearsal.second, rehearsal.front
    steps, balancer, drained = (runbooks.steps("upgrade", kind) for kind in ("", BALANCER, DRAINED))
    assert sorted(steps) == [1, 3, 4, 5, 6, 7, 8, 9]
    assert (sorted(balancer), sorted(drained)) == ([3, 6, 8], [3, 6])
    nodes = {3: first, 6: second, 7: second}
    for number in sorted(steps):
        for block in balancer.get(number, ()):
            on(front, block)
        for block in drained.get(number, ()):
            on(nodes[number], block)
        if number not in balancer:
            for block in steps[number]:
                on(nodes.get(number, first), block)
        if number == 4:
            said = rehearsal.readyz(second)
            rehearsal.say(f"between the two, the second node says migrations: {said['migrations']}")
            assert said["ready"] is True
            assert rehearsal.readyz(first)["version"] == this_release()


def _take_over(rehearsal: Rehearsal, node: Machine) -> None:
    """What is new in the file of nginx, which was changed here: under "What may go wrong"."""
    node.shell(f"mv {nodes.SITE}.new {nodes.SITE}")
    nodes.stand_behind(node, rehearsal.front.address)
    rehearsal.until_well()
    assert "[emerg]" not in node.shell(f"cat {ERRORS}"), "nginx goes on as before"
