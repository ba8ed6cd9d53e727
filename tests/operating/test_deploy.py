"""What stands around an installation: what can be seen of it without a machine to try it on (`tests/machines`)."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SCRIPTS = [DEPLOY / "install.sh", DEPLOY / "countersign", *sorted((DEPLOY / "install").glob("*.sh"))]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
RUNBOOKS = ROOT / "docs/runbooks"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_installer_can_be_read(script):
    subprocess.run(["bash", "-n", str(script)], check=True)
    if shutil.which("shellcheck"):
        # Parts of one program: what is set here may be used there.
        subprocess.run(["shellcheck", "--exclude=SC2034,SC2154", str(script)], check=True)


def test_the_installer_tells_each_option_that_it_takes():
    told = subprocess.run(["bash", DEPLOY / "install.sh", "--help"], capture_output=True, text=True, check=True).stdout
    source = (DEPLOY / "install.sh").read_text()
    taken = set(re.findall(r"^        (--[a-z-]+)(?: \| -h)?\) ", source, re.MULTILINE)) - {"--help"}
    assert len(taken) > 10
    assert set(re.findall(r"^  (--[a-z-]+)", told, re.MULTILINE)) == taken


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_found_by_what_holds_for_all_and_reads_the_settings(unit):
    text = unit.read_text()
    assert unit.name.startswith("countersign-")
    assert (DEPLOY / "systemd/countersign-.service.d/hardened.conf").exists()
    assert "EnvironmentFile=/etc/countersign/environment\n" in text
    assert "ExecStart=/opt/countersign/current/bin/" in text
    assert "MemoryMax=" in text
    # Nothing of them may be given up again by a unit of its own.
    hardened = (DEPLOY / "systemd/countersign-.service.d/hardened.conf").read_text()
    settings = re.findall(r"^([A-Za-z]+)=", hardened, re.MULTILINE)
    assert {"NoNewPrivileges", "ProtectSystem", "PrivateTmp", "User"} <= set(settings)
    assert set(re.findall(r"^([A-Za-z]+)=", text, re.MULTILINE)) & set(settings) == set()


@pytest.mark.parametrize("name", ["web", "stream", "work"])
def test_what_serves_ends_as_a_whole_and_comes_back(name):
    text = (DEPLOY / f"systemd/countersign-{name}.service").read_text()
    for line in ("Restart=always", "KillMode=control-group", "StartLimitIntervalSec=0"):
        assert f"\n{line}\n" in text


def test_the_proxy_does_what_the_guide_asks_of_it():
    text = (DEPLOY / "nginx/countersign.conf").read_text()
    for line in (
        "client_header_timeout 10s;", "client_body_timeout 10s;", "underscores_in_headers off;",
        "proxy_request_buffering on;", "proxy_set_header Host $http_host;",
        "limit_req zone=doors burst=20 nodelay;", "limit_conn callers 100;",
    ):  # fmt: skip
        assert f"    {line}\n" in text, line
    # The signed call's own answer is never stopped by it, nor led elsewhere.
    assert "return 301" not in text.split("location /.well-known")[0]


def test_every_runbook_is_in_the_index():
    listed = set(re.findall(r"^\| \[([a-z-]+\.md)\]\(\1\) \|", (RUNBOOKS / "README.md").read_text(), re.MULTILINE))
    assert listed == {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"}


@pytest.mark.parametrize("document", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.name)
def test_what_a_runbook_leads_to_is_there(document):
    linked = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", document.read_text(encoding="utf-8"))
    assert [link for link in linked if not (document.parent / link).exists()] == []
