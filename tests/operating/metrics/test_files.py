"""What is delivered for Prometheus and Grafana is right by their own word, and asks for nothing that is not told."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from portal import application
from portal.api.stream import application as streaming
from portal.core.observing import meters
from portal.core.observing.meters import Histogram
from portal.core.web.door import serving
from portal.operating.metrics import exposition

# All that declares measures, as a server imports it.
SERVED = (application, serving, streaming)
ROOT = Path(__file__).resolve().parents[3]
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
SCRAPE = ROOT / "deploy/prometheus/scrape.yml"
BOARD = ROOT / "deploy/grafana/countersign.json"
NAME = re.compile(r"\bcountersign_\w+")
PROMTOOL = shutil.which("promtool")
with_promtool = pytest.mark.skipif(PROMTOOL is None, reason="needs promtool, of Debian's package prometheus")


def promtool(*arguments, given=None):
    done = subprocess.run([str(PROMTOOL), *arguments], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def known():
    """Every name that an expression may have."""
    assert all(SERVED)
    found = set()
    for meter in meters.declared():
        ends = ("_bucket", "_sum", "_count") if isinstance(meter, Histogram) else ("",)
        found |= {f"{meter.name}{end}" for end in ends}
    return found


def rules():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


@with_promtool
def test_the_alerts_are_rules_of_prometheus():
    assert f"SUCCESS: {len(rules())} rules found" in promtool("check", "rules", str(ALERTS))


@with_promtool
def test_the_alerts_come_when_they_should_and_not_before():
    assert "SUCCESS" in promtool("test", "rules", str(Path(__file__).with_name("alerts_test.yml")))


@with_promtool
def test_what_is_asked_of_nodes_is_a_configuration_of_prometheus(tmp_path):
    """As the runbook has it, for a Prometheus that reads no file of jobs: they stand in its own."""
    token = tmp_path / "countersign.token"
    token.write_text("a-token-of-thirty-two-characters")
    text = SCRAPE.read_text().replace("/etc/prometheus/countersign.token", str(token))
    (tmp_path / "prometheus.yml").write_text(f"rule_files: [{ALERTS}]\n{text}")
    assert "SUCCESS" in promtool("check", "config", str(tmp_path / "prometheus.yml"))


@with_promtool
@pytest.mark.django_db
def test_what_is_told_is_well_formed_by_the_word_of_prometheus(settings, tmp_path):
    settings.METRICS_DIR = tmp_path
    assert promtool("check", "metrics", given=exposition.text().decode()) == ""


def test_each_alert_says_how_bad_it_is_and_what_to_do():
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "todo"}, rule["alert"]
        assert rule["alert"].startswith("Countersign")


def test_alerts_and_pictures_ask_for_nothing_that_is_not_told():
    board = json.loads(BOARD.read_text())
    asked = [rule["expr"] for rule in rules()]
    asked += [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    named = {name for expression in asked for name in NAME.findall(expression)}
    assert len(named) > 30
    assert named <= known()


def test_the_board_is_one_that_grafana_takes():
    """Each panel has its own number and place, asks the chosen source, and is told in one line."""
    board = json.loads(BOARD.read_text())
    assert (board["title"], board["uid"], board["schemaVersion"]) == ("Countersign", "countersign", 38)
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(numbers) == len(set(numbers)) > 25
    places = [tuple(panel["gridPos"][side] for side in "xywh") for panel in board["panels"]]
    for number, (x, y, width, height) in enumerate(places):
        assert x + width <= 24
        for left, top, wide, high in places[number + 1 :]:
            assert x + width <= left or left + wide <= x or y + height <= top or top + high <= y
    for panel in board["panels"]:
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert [target["refId"] for target in panel["targets"]] == sorted({t["refId"] for t in panel["targets"]})


@with_promtool
def test_each_picture_asks_in_the_language_of_prometheus(tmp_path):
    """A rule for each expression, with Grafana's variables filled in, is checked by promtool."""
    board = json.loads(BOARD.read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    filled = [each.replace("$__rate_interval", "5m").replace("$instance", ".*") for each in expressions]
    wanted = {"groups": [{"name": "board", "rules": [{"record": "asked", "expr": each, "labels": {"n": str(n)}}
                                                      for n, each in enumerate(filled)]}]}  # fmt: skip
    (tmp_path / "board.yml").write_text(yaml.safe_dump(wanted))
    assert f"SUCCESS: {len(filled)} rules found" in promtool("check", "rules", str(tmp_path / "board.yml"))
