"""An installation needs no checkout: the wheel holds all that the portal is."""

import re
import subprocess
import zipfile
from http.client import HTTPConnection
from pathlib import Path

import pytest

from portal import place
from tests.database import migrated
from tests.operating import wheels
from tests.operating.wheels import ROOT
from tests.release import release
from tests.running import free_port, wait_for
from tests.serving import serving, surroundings

pytestmark = pytest.mark.slow
# Of the checkout, and of the wheel.
CARRIED = ("deploy", "static", "templates")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return wheels.built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def commands(wheel, tmp_path_factory):
    return wheels.installed(wheel, tmp_path_factory.mktemp("installed"))


@pytest.fixture
def environment(tmp_path):
    return surroundings() | {"PORTAL_DEBUG": "1", "PORTAL_VAR": str(tmp_path / "var")}


def committed(*folders):
    listed = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}


def test_it_holds_everything_that_the_portal_is_and_nothing_else(wheel):
    """A file that the checkout has and the wheel has not would be missed where it is installed, and only there."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    carried = {f"portal/site/{name}" for name in committed(*CARRIED)}
    locks = {f"portal/site/requirements/{name}.txt" for name in ("build", "runtime")}
    assert committed("accounts", "policies", "portal") | carried | locks == held


def test_it_is_named_for_its_release(wheel):
    assert wheel.name == f"countersign_portal-{release()}-py3-none-any.whl"


def test_two_of_one_checkout_are_the_same(wheel, tmp_path):
    """Whoever builds it anew can compare what is installed."""
    assert wheels.built(tmp_path).read_bytes() == wheel.read_bytes()


def test_make_builds_the_same(wheel):
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^\t@\$\(PROVE\) -m hatchling build --target wheel --directory dist$", makefile, re.MULTILINE)


def test_an_installed_copy_knows_where_it_is(commands, environment, tmp_path):
    look = "from portal import place; print(place.BASE); print(place.SITE); print(place.HOME); print(place.version())"
    told = subprocess.run(
        [commands / "python", "-c", look], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    (site_packages,) = commands.parent.glob("lib/*/site-packages")
    assert told == [str(site_packages), str(site_packages / "portal/site"), str(tmp_path), release()]
    assert (place.SITE, place.HOME, place.version()) == (ROOT, ROOT, release())


def test_an_installed_copy_serves_the_sign_in_page_with_its_style_sheet(commands, environment, tmp_path):
    # Its migrations are those of the checkout: that they are in it is looked at above.
    migrated.begun(tmp_path / "var")
    for command in (["check"], ["migrate", "-v", "0"], ["collectstatic", "--no-input", "-v", "0"]):
        subprocess.run([commands / "countersign", *command], cwd=tmp_path, env=environment, check=True, timeout=180)
    assert list((tmp_path / "var/static").rglob("*.css"))
    port = free_port()
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--log-level", "warning"]
    server = subprocess.Popen(
        [commands / "python", "-m", "granian", *serving(), "--no-ws", *where, "portal.asgi:application"],
        cwd=tmp_path, env=environment,
    )  # fmt: skip
    try:
        wait_for(port, server)
        page = got(port, "/sign-in/").decode()
        assert "<h1" in page
        sheets = re.findall(r'<link[^>]+href="(/static/[^"]+\.css)"', page)
        assert sheets
        for sheet in sheets:
            assert got(port, sheet) == (ROOT / sheet.lstrip("/")).read_bytes()
    finally:
        server.terminate()
        server.wait(20)


def got(port: int, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        answer = connection.getresponse()
        assert answer.status == 200, (path, answer.status)
        return answer.read()
    finally:
        connection.close()


def test_the_command_line_is_the_same_as_in_the_checkout(commands, environment, tmp_path):
    said = subprocess.run(
        [commands / "countersign", "work", "--help"], cwd=tmp_path, env=environment, check=True, capture_output=True,
        text=True,
    ).stdout  # fmt: skip
    assert said.startswith("usage: countersign work")
    assert not Path(tmp_path / "var/portal.sqlite3").exists()
