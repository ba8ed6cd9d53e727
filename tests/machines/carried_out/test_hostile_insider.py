"""A member, and somebody with the database, who have turned: each stopped and found out as the runbook has it."""

import re

import pytest

from tests.machines import installation, runbooks
from tests.machines.carried_out import hands
from tests.machines.installation import PACKAGES
from tests.machines.machine import machines

pytestmark = pytest.mark.drill

# What the owner of the database can do, and nobody else: lift the triggers and rewrite what is written.
REWRITTEN = """
ALTER TABLE audit_auditevent DISABLE TRIGGER USER;
UPDATE audit_auditevent SET actor_label = :'label' WHERE id = (SELECT max(id) FROM audit_auditevent);
ALTER TABLE audit_auditevent ENABLE TRIGGER USER;
"""
PSQL = ("psql", "-qX", "-v", "ON_ERROR_STOP=1", "countersign")


@pytest.fixture(scope="module")
def portal(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("machines")
    with (
        machines(network, folder, ["node"], PACKAGES) as (node,),
        hands.installed(network, node, tmp_path_factory.mktemp("portal")) as portal,
    ):
        portal.until_ready()
        yield portal


def test_a_member_is_kept_out_and_their_bot_stopped(portal):
    visitor = portal.visitor
    number, mia = hands.joined(portal, "Mia")
    hers = visitor.sign_in(mia.email, mia.password, mia.secret)
    key = installation.make_key(portal.node, mia, "mias-bot")
    assert visitor.call(*key, "Balance")["error"] == []
    cookies = portal.signed_in()
    # 1.
    visitor.submit(f"/members/{number}/suspend/", cookies, reason="She left in anger")
    assert visitor.get("/history/", hers)[2].startswith("/sign-in/")
    # 2.
    bot = "/service-users/mias-bot/"
    page = visitor.get(bot, cookies)[1]
    assert re.search(r"Custodians.*Mia", page, re.DOTALL)
    (pause,) = re.findall(rf'href="({bot}keys/[^"]+/pause/)"', page)
    visitor.submit(pause, cookies, reason="Its secret is hers")
    assert visitor.call(*key, "Balance")["error"] == ["EAPI:Invalid key"]
    # 3: each member has one that runs.
    where = {"where": "initiate_withdrawal", "hours": "72", "reason": "Until we know more"}
    assert "Until we know more" in visitor.submit("/policies/freezes/new/", cookies, **where)[1]
    # 4.
    visitor.submit(f"/members/{number}/", cookies, action=f"/members/{number}/keep-out/")
    assert "does not end by itself" in visitor.get(f"/members/{number}/", cookies)[1]
    # 5.
    history = visitor.get(f"/history/?actor=member-{number}", cookies)[1]
    assert "mias-bot" in history
    assert "mias-bot" in visitor.get("/stops/", cookies)[1]


def test_somebody_with_the_database_is_put_out_and_what_they_rewrote_is_named(portal):
    node, steps = portal.node, runbooks.steps("hostile-insider")
    assert {number: len(blocks) for number, blocks in steps.items()} == {1: 2, 2: 1, 3: 1, 6: 1, 7: 1}
    node.shell("countersign verifyaudit >kept.txt")
    node.run(*PSQL, user="postgres", given="CREATE ROLE mallory LOGIN SUPERUSER PASSWORD 'x'")
    port = node.shell(
        "sed -n 's|^DATABASE_URL=.*@127.0.0.1:\\([0-9]*\\)/.*|\\1|p' /etc/countersign/environment"
    ).strip()
    theirs = f"PGPASSWORD=x psql -qX -h 127.0.0.1 -p {port} -U mallory countersign"
    node.shell(
        f"systemd-run --quiet --unit=theirs --setenv=PGPASSWORD=x {theirs.partition(' ')[2]} -c 'SELECT pg_sleep(999)'"
    )
    theirs_is_in = "runuser -u postgres -- psql -Atc \"SELECT 1 FROM pg_stat_activity WHERE usename = 'mallory'\""
    node.shell(f"until {theirs_is_in} | grep 1; do sleep 0.1; done")
    look, out = steps[1]
    roles = set(re.findall(r"^ *(\w+) +\|", node.shell(look), re.MULTILINE))
    assert roles == {"postgres", "countersign_owner", "countersign_web", "countersign_reads", "mallory"}
    node.shell(f"ROLE=mallory\n{out}")
    assert node.run("systemctl", "is-active", "theirs", check=False).stdout.strip() in {"failed", "inactive"}
    assert "not permitted to log in" in node.run("bash", "-c", f"{theirs} -c 'SELECT 1'", check=False).stderr
    node.shell(steps[2][0])
    assert node.run("systemctl", "is-active", "countersign-work", check=False).stdout.strip() == "inactive"
    # Nothing was touched, and then something was.
    assert "The ledger agrees with itself." in node.shell(steps[3][0])
    newest = "SELECT actor_label FROM audit_auditevent ORDER BY id DESC LIMIT 1"
    before = node.run(*PSQL, "-Atc", newest, user="postgres").stdout.rstrip("\n")
    node.run(*PSQL, "-v", "label=Somebody else", user="postgres", given=REWRITTEN)
    found = node.run("bash", "-euo", "pipefail", "-c", steps[3][0], check=False)
    assert found.returncode == 1
    assert re.search(r"organization-1.* \d+", found.stderr), found.stderr
    node.run(*PSQL, "-v", f"label={before}", user="postgres", given=REWRITTEN)
    node.shell(steps[6][0])
    assert node.shell("grep -c ^organization-1 kept.txt").strip() == "1"
    node.shell(steps[7][0])
    assert node.run("systemctl", "is-active", "countersign-work").stdout.strip() == "active"
