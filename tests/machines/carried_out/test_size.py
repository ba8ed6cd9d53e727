"""What an operator looks at who wonders how large it has become."""

import re

import pytest

from tests.machines import installation, runbooks
from tests.machines.carried_out import hands
from tests.machines.installation import PACKAGES
from tests.machines.machine import machines

pytestmark = pytest.mark.drill


def test_connections_tables_and_memory_are_shown(network, tmp_path):
    with (
        machines(network, tmp_path / "machines", ["node"], PACKAGES) as (node,),
        hands.installed(network, node, tmp_path) as portal,
    ):
        portal.visitor.call(*installation.make_key(node, portal.owner), "Balance")
        steps = runbooks.steps("size")
        assert {number: len(blocks) for number, blocks in steps.items()} == {3: 1, 4: 1, 6: 1}
        (connections,) = re.findall(r"127\.0\.0\.1 +\| +(\d+)", node.shell(steps[3][0]))
        # What the same step says that a node opens at most.
        assert 0 < int(connections) <= 48
        assert re.search(r" audit_auditevent +\| +[1-9]\d* \| \d+ kB", node.shell(steps[4][0]))
        said = node.shell(steps[6][0])
        assert said.count("MemoryCurrent=") == 3
        kilobytes = {
            int(rss) for rss in re.findall(r"^ *(\d+) +\d+ +\S+ \S+python\S* .*portal\.asgi", said, re.MULTILINE)
        }
        # Its main process, and workers that the runbook counts with 130 to 330 MB.
        assert 100_000 < max(kilobytes) < 400_000, said
        assert re.search(r"^\S+ .* /$", said, re.MULTILINE)
