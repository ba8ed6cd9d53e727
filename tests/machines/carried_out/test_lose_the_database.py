"""The worst nights of a cluster of databases, one after the other, each ended as the runbook has it."""

import json
import shutil

import pytest

from tests.machines import installation, runbooks
from tests.machines.failovers import cluster as clusters
from tests.machines.failovers.cluster import Cluster, until
from tests.machines.machine import Machine

pytestmark = pytest.mark.drill

STEPS = runbooks.steps("lose-the-database")
BROUGHT = (
    "/etc/patroni/config.yml", "/etc/patroni/countersign.conf", "/etc/patroni_env.conf", "/etc/default/etcd",
    "/etc/systemd/system/patroni.service.d/countersign.conf",
)  # fmt: skip
# In whichever words PostgreSQL has for where it stands.
CANNOT_FOLLOW = ("is not in this server's history", "belongs to timeline", "before current recovery point")


@pytest.fixture(scope="module")
def cluster(network, tmp_path_factory):
    release = installation.release(tmp_path_factory.mktemp("release"))
    with clusters.running(network, tmp_path_factory.mktemp("machines"), release) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def spare(cluster, tmp_path_factory):
    """A new machine, switched off, for whichever is lost for good; it stays until all is over."""
    number, like = len(cluster.all) + 1, cluster.node
    spare = Machine("spare", like.network.address(number), like.network, like.image, tmp_path_factory.mktemp("spare"))
    yield spare
    spare.kill()
    shutil.rmtree(spare.folder, ignore_errors=True)


def ready(cluster: Cluster) -> bool:
    """What the node says of itself."""
    said = cluster.node.run("curl", "-s", "http://127.0.0.1:8000/readyz", check=False).stdout
    return '"ready": true' in said


def roles(machine: Machine) -> dict[str, str]:
    """By name, what step 1 shows of each database."""
    shown = machine.shell(f"{STEPS[1][0].strip()} -f json")
    return {member["Member"]: member["Role"] for member in json.loads(shown)}


def other(cluster: Cluster, machine: Machine) -> Machine:
    (found,) = [each for each in cluster.databases if each is not machine]
    return found


def test_one_that_lags_is_made_primary_and_the_one_that_cannot_follow_is_made_anew(cluster):
    assert sorted(STEPS) == [1, 2, 3, 4, 5, 6, 7]
    installation.found(cluster.node)
    lost = cluster.primary()
    assert lost is not None
    left = other(cluster, lost)
    # An old primary that forgets by itself what nobody else has would follow: it is what the runbook has for the rest.
    left.shell("patronictl -c /etc/patroni/config.yml edit-config --force --set postgresql.use_pg_rewind=false")
    until(cluster.is_whole, "a primary and its synchronous replica")
    left.shell("systemctl stop patroni")
    until(lambda: roles(lost).get(left.name) != "Sync Standby", "the primary is alone")
    # What one machine alone has, and nobody else ever will.
    owner_adds = "countersign createorganization --name Lost --currency USD --owner-email lou@example.test"
    cluster.node.run(
        *owner_adds.split(), "--owner-name", "Lou", "--password-stdin", given="a walk by the other harbour\n"
    )
    cluster.lost = lost
    lost.kill()
    left.shell("systemctl start --no-block patroni")
    status, stop, failover, look, start = STEPS[2]
    # Once what the lost one had said is forgotten.
    until(lambda: {*roles(left).values()} == {"Replica"}, "the one that lags waits")
    said = left.shell(status, check=False)
    assert sum("true" in line or "false" in line for line in said.splitlines()) >= 2, said
    cluster.node.shell(stop)
    left.shell(f"LEFT={left.name}\n{failover}")
    until(lambda: roles(left)[left.name] == "Leader", "it leads")
    assert "Example Ltd" in cluster.node.shell(look)
    cluster.node.shell(start)
    until(lambda: ready(cluster), "the node is ready")
    assert cluster.sql("SELECT count(*) FROM accounts_organization", clusters.DATABASE) == "1"

    cluster.lost = None
    lost.start()
    log = "journalctl --no-pager --unit patroni"
    until(lambda: any(words in lost.shell(log) for words in CANNOT_FOLLOW), "it cannot follow")
    assert not cluster.is_whole()
    left.shell(f"LOST={lost.name}\n{STEPS[3][0]}")
    until(cluster.is_whole, "it follows")
    assert set(roles(left).values()) == {"Leader", "Sync Standby"}
    cluster.node.shell(STEPS[4][0])


def test_a_machine_that_is_gone_for_good_is_replaced(cluster, spare):
    """After the other one, in whatever order: it wants a whole cluster and leaves one."""
    until(cluster.is_whole, "a primary and its synchronous replica")
    lost = cluster.primary()
    assert lost is not None
    left, new = other(cluster, lost), spare
    lost.kill()
    cluster.lost = lost
    until(lambda: roles(left).get(left.name) == "Leader", "the other one leads")
    with_names = f"LOST={lost.name} LEFT={left.name}\n"
    # Under the name of one whose processes may not all be gone yet.
    new.name, new.starts = lost.name, lost.starts
    new.start()
    hosts = left.shell("cat /etc/hosts").replace(f"{lost.address} ", f"{new.address} ")
    for machine in (left, cluster.node, new):
        machine.put("/etc/hosts", hosts)
    left.shell(with_names + STEPS[5][0])
    new.shell(with_names + STEPS[6][0])
    for path in BROUGHT:
        bring(left, new, path)
    new.shell(with_names + STEPS[7][0])
    cluster.databases[cluster.databases.index(lost)] = new
    cluster.lost = None
    until(cluster.is_whole, "the new one follows", within=240)
    assert roles(new) == {left.name: "Leader", new.name: "Sync Standby"}
    said = new.shell(STEPS[2][0])
    assert sum("http://" in line for line in said.splitlines()) == 3, said
    until(lambda: ready(cluster), "the node is ready")
    cluster.node.shell(STEPS[4][0])


def bring(source: Machine, machine: Machine, path: str) -> None:
    """As `tar` over `ssh` does."""
    machine.put(path, source.shell(f"cat {path}"), mode=int(source.shell(f"stat -c %a {path}"), 8))
