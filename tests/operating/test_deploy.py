"""What stands around an installation: what can be seen of it without a machine to try it on (`tests/machines`)."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.urls import reverse

from accounts.authentication import email_links
from portal.api.protocol.envelope import Error, failure

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


def test_as_root_the_installer_loads_nothing_from_where_it_is_called(tmp_path):
    """A stranger's `urllib.py` in /tmp would else be run as root, by whoever installs from there."""
    ran = tmp_path / "ran"
    (tmp_path / "urllib.py").write_text(f"open({str(ran)!r}, 'w')\n")
    (tmp_path / "owner").write_text("DATABASE_URL=postgres://it%27s:secret@db/x\n")
    start = (DEPLOY / "install.sh").read_text().partition("usage() {")[0]
    parts = "".join(f"source {DEPLOY}/install/{part}.sh\n" for part in ("saying", "settings", "database"))
    for script, said in ((f"{start}{parts}_part owner username", "it's\n"), (f"{parts}_part owner username", "")):
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout == said, done.stderr
        # Without it, it would: what is tried here can fail.
        assert ran.exists() == (not said)


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
        "limit_req zone=doors_by_caller burst=20 nodelay;", "limit_req zone=crowd burst=40 nodelay;",
        "limit_conn connections_by_caller 100;",
    ):  # fmt: skip
        assert f"    {line}\n" in text, line
    # The signed call's own answer is never stopped by it, nor led elsewhere.
    assert "return 301" not in text.split("location /.well-known")[0]


def test_the_proxy_says_what_the_portal_says_where_that_does_not_answer():
    """In the same words, and by a page that asks for nothing else: there is nobody who would serve it."""
    text = (DEPLOY / "nginx/countersign.conf").read_text()
    (said,) = re.findall(r"location @unavailable \{[^}]+return 200 '(\{.+\})';", text)
    assert said.encode() == failure(Error.UNAVAILABLE).body
    page = (DEPLOY / "nginx/not-now.html").read_text()
    assert re.findall(r'(?:src|href|url)[=(]"?([^")]+)', page) == ["/"]
    assert "what you typed is still there" in " ".join(page.split())


def test_no_part_of_the_proxy_passes_on_whom_a_stranger_calls_for():
    """nginx takes the headers of around a `location` only where that one sets none itself."""
    text = (DEPLOY / "nginx/countersign.conf").read_text()
    inherited = text.split("\n    location ", 1)[0]
    setting = [each for each in re.findall(r"location [^{]+\{[^}]+\}", text) if "proxy_set_header" in each]
    assert len(setting) == 2
    for part in (inherited, *setting):
        for line in (
            "X-Forwarded-For $remote_addr;", "X-Forwarded-Proto $scheme;", "Host $http_host;", 'traceparent "";',
        ):  # fmt: skip
            assert f" proxy_set_header {line}\n" in part, (part, line)


@pytest.mark.parametrize(
    ("addresses", "caller"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::5"], "2001:db8:1:2:"),
        (["2001:db8::5", "2001:db8::a:b:c:d"], "2001:db8::"),
        (["::1"], "::1"),
        (["::ffff:203.0.113.9"], "::ffff:203.0.113.9"),
    ],
)
def test_the_proxy_counts_a_machine_once_whatever_address_of_its_network_it_takes(addresses, caller):
    text = (DEPLOY / "nginx/countersign.conf").read_text()
    assert {f"limit_{kind}_zone $caller" for kind in ("req", "conn")} <= set(re.findall(r"limit_\w+_zone \S+", text))
    (callers,) = re.findall(r"^map \$remote_addr \$caller \{$(.+?)^\}$", text, re.MULTILINE | re.DOTALL)
    rules = [
        re.compile(rule.replace("(?<", "(?P<")) for rule in re.findall(r'^    "~(.+)" \$\w+;$', callers, re.MULTILINE)
    ]
    assert len(rules) == 2
    found = {next((match[1] for rule in rules if (match := rule.search(each))), each) for each in addresses}
    assert found == {caller}


@pytest.mark.parametrize(
    ("path", "is_counted"),
    [("/sign-in/code/", True), ("/password/forgotten/", True), ("/invitations/", False), ("/enrol/app/", False)],
)
def test_only_who_is_not_in_yet_is_counted_with_the_crowd(path, is_counted):
    """Whoever looks after invitations while a crowd is at the door must not be told to wait for it."""
    text = (DEPLOY / "nginx/countersign.conf").read_text()
    assert "limit_req_zone $at_the_door zone=crowd:32k rate=10r/s;\n" in text
    (rule,) = re.findall(r'^map \$uri \$at_the_door \{\n    default "";\n    "~(.+)" \$crowd;\n\}$', text, re.MULTILINE)
    assert bool(re.search(rule, path)) is is_counted


@pytest.mark.parametrize("way", ["accounts:reset_link", "accounts:enrol_link", "accounts:invitation"])
def test_the_log_of_the_proxy_holds_no_link_that_was_mailed(way):
    """It has the address before whoever followed the link has used it up."""
    text = (DEPLOY / "nginx/countersign.conf").read_text()
    assert text.count("    access_log /var/log/nginx/access.log countersign;\n") == text.count("server {") == 2
    (said,) = re.findall(r"log_format countersign ([^;]+);", text)
    assert "$told" in said
    assert not re.search(r"\$(request|request_uri|uri|args|http_referer)\b", said)
    (rule,) = re.findall(r'^    "~(.+)" "\$before\[redacted\]\$after";$', text, re.MULTILINE)
    token = email_links.new_token().text
    for address in (reverse(way, args=[token]), reverse(way, args=[token])[:-1], f"{reverse(way, args=[token])}?of=1"):
        found = re.search(rule.replace("(?<", "(?P<"), address)
        assert found, address
        assert token not in f"{found['before']}{found['after'] or ''}"


def test_what_serves_starts_in_no_folder_that_it_can_write_to():
    """Both servers import from there first: what was written once would be run by every later release."""
    unit = (DEPLOY / "systemd/countersign-.service.d/hardened.conf").read_text()
    image = (DEPLOY / "containers/Containerfile").read_text()
    assert re.findall(r"^WorkingDirectory=(.+)$", unit, re.MULTILINE) == ["/opt/countersign/current"]
    assert re.findall(r"^WORKDIR (.+)$", image, re.MULTILINE)[-1] == "/opt/countersign"


@pytest.mark.parametrize(
    ("command", "user", "home"),
    [
        (["check"], "countersign", "/var/lib/countersign"),
        (["migrate"], "countersign-owner", "/nonexistent"),
        (["--as-owner", "restore"], "countersign-owner", "/nonexistent"),
    ],
)
def test_as_the_owner_nothing_is_read_at_the_home_of_who_serves(tmp_path, command, user, home):
    (tmp_path / "environment").write_text("DATABASE_URL=postgres://web@db/x\n")
    (tmp_path / "owner").write_text("DATABASE_URL=postgres://owner@db/x\n")
    programs = {"bin/countersign": "", "path/setpriv": 'echo "$HOME $DATABASE_URL ${PGPASSFILE:-none}" "$@"\n'}
    for name, text in programs.items():
        program = tmp_path / name
        program.parent.mkdir()
        program.write_text(f"#!/bin/bash\n{text}")
        program.chmod(0o755)
    script = (DEPLOY / "countersign").read_text().replace("folder=/etc/countersign", f"folder={tmp_path}")
    script = script.replace("((EUID == 0))", "true")
    path, release = f"{tmp_path}/path:/usr/bin:/bin", str(tmp_path)
    environment = {"PATH": path, "COUNTERSIGN_RELEASE": release, "PGPASSFILE": "mine"}
    called = ["bash", "-c", script, "-", *command]
    done = subprocess.run(called, env=environment, capture_output=True, text=True, check=True)
    whose = "owner" if user.endswith("owner") else "web"
    assert done.stdout.startswith(f"{home} postgres://{whose}@db/x none --reuid={user} ")


def test_every_runbook_is_in_the_index():
    listed = set(re.findall(r"^\| \[([a-z-]+\.md)\]\(\1\) \|", (RUNBOOKS / "README.md").read_text(), re.MULTILINE))
    assert listed == {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"}


@pytest.mark.parametrize("document", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.name)
def test_no_program_of_a_runbook_is_called_with_a_secret(document):
    """Everybody on the machine can read the words of a command while it runs, but for those of the shell itself."""
    text = document.read_text(encoding="utf-8")
    secret = set(
        re.findall(r"^ *(\w+)=\$\((?:head -c|openssl rand|python3|sed -n '?.*DATABASE_URL)", text, re.MULTILINE)
    )
    called = re.findall(r"^ *(?:sed|runuser|countersign|/opt/\S+|python3|psql) .*$", text, re.MULTILINE)
    shown = [line.strip() for line in called for name in secret if f"${name}" in line.partition("<<<")[0]]
    assert shown == []
    assert not re.findall(r"--to [^@\s]*(?:\$|://)", text)


@pytest.mark.parametrize("document", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.name)
def test_what_a_runbook_leads_to_is_there(document):
    linked = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", document.read_text(encoding="utf-8"))
    assert [link for link in linked if not (document.parent / link).exists()] == []
