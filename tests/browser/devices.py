"""What people hold and see with in these tests: an authenticator in their browser, and eyes that miss nothing."""

import os
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final

from playwright.sync_api import BrowserContext, CDPSession, Page

# Where to leave what was seen, for somebody to look at it.
PICTURES: Final = os.environ.get("PICTURES", "")
AXE: Final = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN: Final = """
async (tags) => (await axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] }))
  .violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(" | ").slice(0, 300)}`)
"""


@dataclass
class Device:
    """The authenticator inside one person's browser. Nobody touches it until `present` says so."""

    session: CDPSession
    handle: str

    def verifies(self, yes: bool) -> None:
        """Whether it can tell that its owner is there: finger, face or PIN."""
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.handle, "isUserVerified": yes})

    def present(self, yes: bool) -> None:
        """Whether somebody touches it when it asks."""
        self.session.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self.handle, "enabled": yes})

    def holds(self) -> int:
        answer = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.handle})
        return len(answer["credentials"])


def plug_in(context: BrowserContext, page: Page) -> Device:
    """A virtual authenticator with user verification, for one page."""
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": False,
    }
    answer = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Device(session, answer["authenticatorId"])


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is: each rule with where it is broken. Ask for it without motion."""
    # Once for each document: to read it again takes as long as to look over a small page.
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN, RULES)
    return found


@dataclass
class Eyes:
    """Look at a page in both themes, wide and narrow, with axe and for sideways scrolling."""

    trouble: list[str] = field(default_factory=list)

    def look(self, page: Page, name: str) -> None:
        """A theme changes colours and a width the layout: two looks see all four of them."""
        for scheme, width in (("dark", 360), ("light", 1280)):
            # Without motion: half-way between two themes no colour is itself.
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 900})
            where = f"{name}, {scheme}, {width} px"
            self.trouble += [f"{where}: {found}" for found in violations(page)]
            if page.evaluate("document.documentElement.scrollWidth - window.innerWidth") > 0:
                self.trouble.append(f"{where}: scrolls sideways")
            if PICTURES:
                Path(PICTURES).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}-{width}.png", full_page=True)
