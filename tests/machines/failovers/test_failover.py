"""The primary is lost and nothing that was answered is: Patroni, etcd and HAProxy as `deploy` has them."""

import sys

import pytest

from tests.machines import installation
from tests.machines.failovers import cluster as clusters
from tests.machines.failovers.cluster import DEPLOY, until
from tests.machines.failovers.run import fail_over, trading, what_is_wrong

# What the portal promises to whoever sets it up so, on machines that have nothing else to do.
RECOVERED_WITHIN = 60


@pytest.fixture(scope="module")
def cluster(network, tmp_path_factory):
    release = installation.release(tmp_path_factory.mktemp("release"))
    with clusters.running(network, tmp_path_factory.mktemp("machines"), release) as cluster:
        yield cluster


def test_what_was_answered_before_the_primary_was_lost_is_there_once_and_the_old_one_follows(cluster, tmp_path, capsys):
    assert cluster.sql("SHOW synchronous_commit") == "remote_apply"
    node = cluster.node
    node.put("/etc/haproxy/haproxy.cfg", (DEPLOY / "haproxy/haproxy.cfg").read_bytes())
    # This machine is a node itself, whose nginx has the port, and the only one.
    node.shell("sed -i -e 's/^    bind :443$/    bind 127.0.0.1:8443/' -e '/server node2 /d' /etc/haproxy/haproxy.cfg")
    node.shell("haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl restart haproxy")
    with trading(cluster, tmp_path) as bot:
        before = cluster.primary()
        done = fail_over(cluster, bot, "plug pulled")
        with capsys.disabled():
            sys.stdout.write(f"\n{done}; meanwhile {dict(bot.errors())}\n")
    assert done.seconds < RECOVERED_WITHIN
    assert what_is_wrong(cluster, bot) == []
    after = cluster.primary()
    assert after is not before
    asks = (
        f"PGPASSWORD={cluster.passwords['countersign_web']} psql -h 127.0.0.1 -p 5000 -U countersign_web -d countersign"
    )
    until(
        lambda: (
            node.shell(f"{asks} -qAtc 'SELECT pg_is_in_recovery(), inet_server_addr()' || true").strip()
            == f"f|{after.address}"
        ),
        "HAProxy leads to the new primary",
    )
