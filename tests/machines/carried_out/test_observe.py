"""Prometheus and those whom it wakes, set up as the runbook has it, and a node that is stopped to see if they do."""

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.machines import installation, runbooks
from tests.machines.carried_out import hands
from tests.machines.failovers.cluster import until
from tests.machines.installation import BROUGHT, DOMAIN, PACKAGES
from tests.machines.machine import Machine, machines
from tests.serving import ROOT

pytestmark = pytest.mark.drill

BOARD = ROOT / "deploy/grafana/countersign.json"
SINK = ROOT / "tests/chaos/installation/sink.py"
WATCHING = ("prometheus", "prometheus-alertmanager", "prometheus-blackbox-exporter")
# Of a portal that has made no backup yet, and whose tasks are in time.
NOTHING_YET = {"Last backup", "Last drill", "Tasks that are late"}


@pytest.fixture(scope="module")
def both(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("machines")
    with machines(network, folder, ["node", "watch"], (*PACKAGES, *WATCHING)) as both:
        yield both


@pytest.fixture(scope="module")
def node(both):
    # It is one of the two that has nothing of Prometheus.
    both[0].shell("systemctl disable --now --quiet prometheus prometheus-alertmanager prometheus-blackbox-exporter")
    return both[0]


@pytest.fixture(scope="module")
def watch(both):
    """The machine that looks on, with the release's folder, and a mail server that keeps what it is given."""
    machine = both[1]
    machine.copy(ROOT / "deploy", BROUGHT)
    machine.put("/opt/sink.py", SINK.read_text())
    machine.shell("systemd-run --quiet --unit=sink python3 /opt/sink.py 25")
    return machine


@pytest.fixture(scope="module")
def portal(network, node, tmp_path_factory):
    with hands.installed(network, node, tmp_path_factory.mktemp("portal")) as portal:
        yield portal


def told(watch: Machine, query: str) -> list[dict[str, object]]:
    """What Prometheus answers."""
    said = json.loads(watch.shell(f"curl -s 'http://localhost:9090/api/v1/query?query={quote(query)}'"))
    assert said["status"] == "success", (query, said)
    found: list[dict[str, object]] = said["data"]["result"]
    return found


def pictures() -> Iterator[tuple[str, str]]:
    """Each panel's title with each of its queries, as Grafana sends them for all nodes."""
    for panel in json.loads(BOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "2m").replace("$instance", ".*")


def test_prometheus_looks_on_and_wakes_somebody_as_it_says(node, watch, portal):
    steps = runbooks.steps("observe")
    assert sorted(steps) == [1, 2, 3, 4, 5, 6, 7, 8]
    here = f"cd {BROUGHT}\nNODE=node NAME={DOMAIN}\n"
    watch.shell(here + steps[1][0])
    node.put(f"{BROUGHT}/countersign.token", watch.shell(f"cat {BROUGHT}/countersign.token"), mode=0o600)
    for number in (2, 3):
        node.shell(here + steps[number][0])
    portal.until_ready()
    # What the runbook says of a trial's certificate, and a name as if by DNS.
    watch.put("/usr/local/share/ca-certificates/countersign.crt", portal.visitor.certificate.read_bytes())
    watch.shell(f"update-ca-certificates 2>&1; echo {node.address} {DOMAIN} >>/etc/hosts")
    well = ["countersign_database_up 1.0", "countersign_processes 4.0", "countersign_ready 1.0"]
    until(lambda: sorted(watch.shell(here + steps[4][0]).splitlines()) == well, "the node says that it is well")
    # "Write your nodes and the name of your portal", and a mail server that has no TLS.
    watch.shell(
        f'{here}sed -i -e \'s/, "node2[^"]*"//; s/node1.internal.example.com/node/; s/portal.example.com/{DOMAIN}/\' '
        "prometheus/scrape.yml\n"
        "sed -i 's/mail.example.com:25/localhost:25/; s/tls: true/tls: false/' prometheus/alertmanager.yml"
    )
    for number in (5, 6):
        watch.shell(here + steps[number][0])
    wanted = {("countersign", "1"), ("countersign-front", "1")}
    each = re.compile(r'job="([^"]+)"} => (\d) ')
    until(lambda: set(each.findall(watch.shell(here + steps[7][0]))) == wanted, "both are asked")
    assert told(watch, "probe_ssl_earliest_cert_expiry - time() > 80 * 86400")
    rules = json.loads(watch.shell("curl -s http://localhost:9090/api/v1/rules"))["data"]["groups"]
    assert {rule["health"] for group in rules for rule in group["rules"]} == {"ok"}
    assert len([rule for group in rules for rule in group["rules"]]) > 25

    key = _used(portal)

    def is_counted() -> bool:
        # A rate needs two points: it goes on calling, also once it is over its limit.
        portal.visitor.call(*key, "Balance")
        return bool(told(watch, "rate(countersign_calls_total[2m]) > 0"))

    until(is_counted, "calls are counted")
    empty = {title for title, query in pictures() if not told(watch, query)}
    assert empty <= NOTHING_YET, empty - NOTHING_YET

    stop, look, start = steps[8]
    node.shell(stop)
    until(lambda: 'alertstate="firing"' in watch.shell(look), "an alert", within=240)
    until(lambda: "CountersignNodeDown" in watch.shell("cat /var/lib/sink/mails || true"), "a mail of it")
    assert re.search(r"^To: oncall@example\.com", watch.shell("cat /var/lib/sink/mails"), re.MULTILINE)
    node.shell(start)
    portal.until_ready()
    until(lambda: not told(watch, 'ALERTS{alertname="CountersignNodeDown"}'), "it is over")


def _used(portal: hands.Portal) -> tuple[str, str]:
    """A page and calls, so that there is something to tell of; the key of who called."""
    key = installation.make_key(portal.node, portal.owner)
    assert portal.visitor.get("/history/", portal.signed_in())[0] == 200
    assert portal.visitor.call(*key, "Balance")["error"] == []
    refused = portal.visitor.call(key[0], key[1][:-4] + "AAA=", "Balance")
    assert refused["error"] == ["EAPI:Invalid signature"]
    return key
