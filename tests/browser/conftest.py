"""A portal started as its user starts it, and one Chromium with a profile for each person."""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from accounts.models import Authenticator, User
from tests.browser.bots import Program
from tests.browser.devices import PICTURES
from tests.database import migrated

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 180
# The address bar's own pages, one set for each person, take more of the processor than all that is looked at. Only the
# last such list counts, so Playwright's own stands here too.
NOT_NEEDED = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "AimEnabled", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay", "MediaRouter", "OptimizationHints", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "NetworkTimeServiceQuerying",
)  # fmt: skip


# Where a browser keeps what every page brings along; to ask for it again took a third of what a page takes.
SERVED = {"DJANGO_SETTINGS_MODULE": "tests.browser.served"}

# A portal that stands elsewhere already, as `tests.machines.rehearsal` names it: nothing is started for that one.
STANDING = os.environ.get("STANDING_PORTAL", "")


@dataclass
class Portal:
    """A running portal: its address, what it printed up to the end of its welcome, and the demo it made."""

    base_url: str
    folder: Path
    welcome: str
    demo: dict[str, Any]
    ahead: int = 0  # seconds by which its clock is ahead of ours

    def bot(self, name: str) -> Program:
        """One of the demo's bots, ready to ask."""
        held = next(row for row in self.demo["service_users"] if row["name"] == name)
        return Program(self.base_url, held["api_key"], held["api_secret"])

    def shell(self, script: str) -> None:
        """Run `script` as an operator would, beside the server."""
        environment = {**os.environ, "PORTAL_DEBUG": "1", "PORTAL_VAR": str(self.folder / "var")}
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, "manage.py", "shell", "-c", script]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)

    def member(self, short: str) -> dict[str, Any]:
        return next(m for m in self.demo["members"] if m["email"].startswith(f"{short}@"))

    def code(self, short: str) -> str:
        """The code that this person's app shows. That others were spent before is forgotten: nobody waits for the next.

        That a code passes once is shown elsewhere, and so is what one reads who shows it twice.
        """
        member = self.member(short)
        devices = Authenticator._meta.db_table
        people = User._meta.db_table
        with closing(sqlite3.connect(self.folder / "var" / "portal.sqlite3", timeout=20)) as database, database:
            database.execute(
                f"UPDATE {devices} SET last_step = -1, earlier_steps = '[]' "
                f"WHERE user_id = (SELECT id FROM {people} WHERE email = ?)",
                [member["email"]],
            )
        return totp(member["totp_secret"], (int(time.time()) + self.ahead) // 30)


@dataclass
class Standing(Portal):
    """One that nobody here has started, and into whose database nobody looks: each code serves once, as for anybody."""

    spent: dict[str, int] = field(default_factory=dict)

    def code(self, short: str) -> str:
        """The next that this person's app shows."""
        while (step := int(time.time()) // 30) <= self.spent.get(short, 0):
            time.sleep(0.5)
        self.spent[short] = step
        return totp(self.member(short)["totp_secret"], step)


def totp(secret: str, step: int) -> str:
    """RFC 6238 as any authenticator app computes it."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, struct.pack(">Q", step), hashlib.sha1)
    start = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """`make run` on a free port, with data of its own, stopped at the end; for the first worker, from nothing."""
    if STANDING:
        told = json.loads(Path(STANDING).read_text())
        yield Standing(told["base_url"], Path(STANDING).parent, told["welcome"], told)
        return
    folder = tmp_path_factory.mktemp("portal")
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0":
        migrated.begun(folder / "var")
        migrated.begun(folder / "var" / "exchange")
    port = _free_port()
    output = folder / "output.txt"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PORTAL_", "DJANGO_")) and k != "DATABASE_URL"}
    clean |= SERVED
    with output.open("w") as file:
        process = subprocess.Popen(
            ["make", "run", f"PORT={port}", f"VAR={folder / 'var'}"],
            cwd=ROOT,
            env=clean,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        base_url = f"http://localhost:{port}"
        _wait_until_ready(base_url, process, output)
        # Whoever uses the portal makes it say more: only what it says by itself is its start.
        welcome = _said(output, f"{folder / 'var' / 'demo.json'}\n")
        demo = json.loads((folder / "var" / "demo.json").read_text())
        yield Portal(base_url=base_url, folder=folder, welcome=welcome, demo=demo)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not executable:
        pytest.skip("Chromium is not installed")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", f"--disable-features={','.join(NOT_NEEDED)}"]  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=quiet)
        yield browser
        browser.close()


@pytest.fixture
def asks(portal: Portal) -> Iterator[Callable[[str], None]]:
    """treasury-bot asks for so much ETH to eth-cold. What nobody has decided is taken back: the portal is shared."""
    bot = portal.bot("treasury-bot")
    asked: list[str] = []

    def ask(amount: str) -> None:
        asked.append(bot.get("Withdraw", asset="ETH", key="eth-cold", amount=amount)["refid"])

    yield ask
    for reference in asked:
        bot.ask("WithdrawCancel", asset="ETH", refid=reference)


@dataclass
class Person:
    """Somebody at their own browser."""

    name: str
    portal: Portal
    context: BrowserContext
    page: Page

    def sign_in(self) -> None:
        member = self.portal.member(self.name)
        self.page.goto(f"{self.portal.base_url}/sign-in/")
        self.page.get_by_label("Email").fill(member["email"])
        self.page.get_by_label("Password").fill(member["password"])
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.get_by_label("Authentication code").fill(self.portal.code(self.name))
        self.page.get_by_role("button", name="Verify").click()
        self.page.wait_for_url("**/inbox/")

    def comes_in(self) -> None:
        """Sign in by what the browser would send, with no page drawn: for whoever looks at something else."""
        member = self.portal.member(self.name)
        # By what browsers call themselves a list of sessions tells one from another.
        named = {"User-Agent": self.page.evaluate("navigator.userAgent")}
        asked = self.context.request.get(f"{self.portal.base_url}/sign-in/", headers=named)
        password = {name: member[name] for name in ("email", "password")}
        for typed in (password, {"code": self.portal.code(self.name)}):
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', asked.text())
            assert token, f"{asked.url} has no form"
            form = {"csrfmiddlewaretoken": token[1], **typed}
            asked = self.context.request.post(asked.url, form=form, headers={"Referer": asked.url, **named})
        assert asked.url.endswith("/inbox/"), asked.url

    def goes_to(self, path: str) -> Page:
        self.page.goto(f"{self.portal.base_url}{path}")
        return self.page

    def posts(self, path: str, form: dict[str, str]) -> int:
        """Post a form that no page showed, with this person's own cookies and token; the status that came back."""
        token = self.page.locator("input[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
        answer = self.context.request.post(
            f"{self.portal.base_url}{path}",
            form={"csrfmiddlewaretoken": token, **form},
            headers={"Referer": self.page.url},
            max_redirects=0,
        )
        return answer.status

    def pictures(self, name: str) -> None:
        """The page in light and dark, wide and narrow: it fits, and somebody can look at it, in the folder PICTURES."""
        self.page.wait_for_load_state("load")
        # From one to the next that differs from it in one thing.
        for scheme, widths in (("light", (1280, 360)), ("dark", (360, 1280))):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for width in widths:
                self.page.set_viewport_size({"width": width, "height": 900})
                sideways = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert sideways <= 0, f"{name} scrolls sideways by {sideways} px at {width} px"
                if PICTURES:
                    Path(PICTURES).mkdir(parents=True, exist_ok=True)
                    self.page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}-{width}.png", full_page=True)
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": 1280, "height": 900})


@pytest.fixture
def person(portal: Portal, chromium: Browser) -> Iterator[Callable[..., Person]]:
    """A browser profile of one's own for everybody named; whatever a page complains about fails the test."""
    people: list[Person] = []
    complaints: list[str] = []

    def come(name: str, **device: Any) -> Person:
        # The authority behind the certificate of one that stands elsewhere is known to nobody.
        device = {"timezone_id": "Europe/Zurich", "locale": "en-GB", "ignore_https_errors": bool(STANDING), **device}
        context = chromium.new_context(base_url=portal.base_url, **device)
        page = context.new_page()
        page.on("console", lambda message: _note(complaints, name, message.type, message.text))
        page.on("pageerror", lambda error: complaints.append(f"{name}: {error}"))
        people.append(Person(name, portal, context, page))
        return people[-1]

    yield come
    for somebody in people:
        somebody.context.close()
    assert not complaints, complaints


def _note(complaints: list[str], name: str, kind: str, text: str) -> None:
    # Chromium writes every 4xx to the console; the tests ask for those answers.
    if kind in ("error", "warning") and "Failed to load resource" not in text:
        complaints.append(f"{name}: {text}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _said(output: Path, last: str) -> str:
    """What is printed once `last` is."""
    deadline = time.monotonic() + 60
    while last not in (text := output.read_text()):
        assert time.monotonic() < deadline, f"The portal never said {last!r}:\n{text}"
        time.sleep(0.1)
    return text


def _wait_until_ready(base_url: str, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"make run ended:\n{output.read_text()}")
        try:
            with urllib.request.urlopen(f"{base_url}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"make run was not ready within {READY_WITHIN} s:\n{output.read_text()}")
