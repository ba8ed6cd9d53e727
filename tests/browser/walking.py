"""An empty portal on a machine of its own, and people who walk through it."""

import email
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import policy
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import SERVED, _free_port
from tests.browser.devices import Device, Eyes, plug_in
from tests.database import migrated
from tests.serving import at_one_address, surroundings

ROOT = Path(__file__).resolve().parents[2]
WORDS = "a lighthouse above the bay"


@dataclass
class Empty:
    """A portal that nobody has set up yet, and the machine it runs on."""

    url: str
    folder: Path
    environment: dict[str, str]

    def manage(self, *command: str, typed: str = "") -> str:
        run = [sys.executable, "manage.py", *command]
        done = subprocess.run(
            run, cwd=ROOT, env=self.environment, input=typed, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def link(self, to: str, path: str) -> str:
        """The newest link below `path` in the mail of that person."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for file in sorted((self.folder / "mail").glob("*"), key=lambda file: file.stat().st_mtime, reverse=True):
                for text in reversed(file.read_text().split("-" * 79)):
                    message = email.message_from_string(text.strip(), policy=policy.default)
                    found = re.search(rf"{self.url}{path}\S+", message.get_content() if message["to"] else "")
                    if message["to"] == to and found:
                        return found[0]
            time.sleep(0.2)
        raise AssertionError(f"no mail to {to} with {path}")


@contextmanager
def empty_portal(folder: Path, begun: Callable[[Path], None] = migrated.begun) -> Iterator[Empty]:
    """Migrated, and served as `make run` does, but without a demo unless it has begun with one."""
    port = _free_port()
    url = f"http://localhost:{port}"
    environment = surroundings() | SERVED | {"PORTAL_DEBUG": "1", "PORTAL_VAR": str(folder), "PORTAL_BASE_URL": url}
    begun(folder)
    portal = Empty(url, folder, environment)
    granian = ["-m", "granian", *at_one_address(), "--host", "127.0.0.1", "--port", str(port)]
    options = ["--workers", "1", "--log-level", "warning", "portal.asgi:application"]
    servers = [
        subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment)
        for command in ((*granian, *options), ("manage.py", "work"))
    ]
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{url}/readyz", timeout=2):
                    break
            except OSError:
                time.sleep(0.1)
        yield portal
    finally:
        for server in servers:
            server.terminate()
            server.wait(20)


@dataclass
class Walker:
    """Somebody new, at a browser of their own, with an authenticator in it."""

    name: str
    mail: str
    portal: Empty
    context: BrowserContext
    page: Page
    device: Device
    eyes: Eyes

    def to(self, path: str, look: str = "") -> Page:
        self.page.goto(path if path.startswith("http") else f"{self.portal.url}{path}")
        if look:
            self.sees(look)
        return self.page

    def sees(self, name: str) -> None:
        self.eyes.look(self.page, name)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"main [name={name}], .entry__sheet [name={name}]").first.fill(value)

    def new_password(self) -> None:
        self.fill(password=WORDS, again=WORDS)

    def make_passkey(self, name: str) -> None:
        self.page.get_by_label("Name").fill(name)
        self.press("Create a passkey")
        expect(self.page.get_by_text(f"“{name}” is a second factor of yours now.")).to_be_visible()

    def take_codes(self, look: str = "") -> list[str]:
        self.press("Show ten new codes")
        shown = self.page.locator(".codes code")
        expect(shown).to_have_count(10)
        codes = shown.all_text_contents()
        assert len(set(codes)) == 10
        if look:
            self.sees(look)
        self.page.get_by_role("link", name="I have stored them").click()
        return codes

    def sign_in(self) -> None:
        self.to("/sign-in/")
        self.press("Sign in with a passkey")
        self.page.wait_for_url("**/inbox/")

    def sign_out(self) -> None:
        self.page.get_by_role("button", name="Sign out").click()
        self.page.wait_for_url("**/sign-in/")

    def password_step(self) -> None:
        self.to("/sign-in/")
        self.fill(email=self.mail, password=WORDS)
        self.press("Sign in")
        self.page.get_by_role("link", name="Use a recovery code").wait_for()


@contextmanager
def walkers(empty: Empty, chromium: Browser) -> Iterator[Callable[[str], Walker]]:
    """Whoever is named comes; what a page or axe complained about fails at the end."""
    eyes, complaints, all_of_them = Eyes(), [], []

    def come(name: str) -> Walker:
        context = chromium.new_context(base_url=empty.url, timezone_id="Europe/Zurich", locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda said: complaints.append(f"{said.type}, {page.url}: {said.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error, {page.url}: {error}"))
        device = plug_in(context, page)
        device.present(True)
        all_of_them.append(context)
        return Walker(name, f"{name.split(maxsplit=1)[0].lower()}@harbour.test", empty, context, page, device, eyes)

    yield come
    for context in all_of_them:
        context.close()
    complaints = [one for one in complaints if one.startswith("error") and "Failed to load resource" not in one]
    assert not complaints + eyes.trouble, "\n".join(complaints + eyes.trouble)
