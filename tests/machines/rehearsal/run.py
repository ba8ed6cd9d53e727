"""The whole of it, in the order in which an operator comes to it; what each step measured is said at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.chaos.installation import whole
from tests.machines import installation
from tests.machines.rehearsal import failover, losing_a_node, moving_in, restoring, story, upgrade
from tests.machines.rehearsal.stage import Rehearsal, wanted
from tests.serving import ROOT

STEPS: Final[tuple[Callable[[Rehearsal], None], ...]] = (
    upgrade.go, moving_in.go, story.go, restoring.go, failover.go, losing_a_node.go,
)  # fmt: skip
BALANCER: Final = "/etc/haproxy/haproxy.cfg"
ORDER: Final = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001"}


def everything(folder: Path, pictures: Path) -> None:
    """From nothing to the end. Raises: AssertionError at the first thing that is not as it should be."""
    with _standing(folder, pictures) as rehearsal:
        for step in STEPS:
            step(rehearsal)
        answer = rehearsal.visitor().call(*rehearsal.key("trading-bot"), "AddOrder", **ORDER)
        assert answer["error"] == [], answer
        for node in rehearsal.there.nodes:
            said = node.machine.run("countersign", "doctor", check=False)
            assert said.returncode == 0, f"{node.name}: {said.stdout}"
            rehearsal.say(f"doctor on {node.name}: {said.stdout.strip().splitlines()[-1]}")


@contextmanager
def _standing(folder: Path, pictures: Path) -> Iterator[Rehearsal]:
    """The release before on two nodes, behind HAProxy as `deploy` has it."""
    began = time.monotonic()
    before = installation.release_before(folder / "before")
    release = installation.release(folder)
    with whole.standing(folder, wanted(before)) as there:
        rehearsal = Rehearsal(there, release, folder, pictures, began=began)
        rehearsal.front.put(BALANCER, (ROOT / "deploy/haproxy/haproxy.cfg").read_bytes())
        rehearsal.front.shell(f"haproxy -c -f {BALANCER} && systemctl restart haproxy")
        rehearsal.say(f"an installation of {before.version} stands")
        yield rehearsal
