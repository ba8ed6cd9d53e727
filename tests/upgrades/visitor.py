"""A person at a portal that runs, without a browser: signs in with both factors, reads pages and sends their forms."""

import base64
import re
import time
from dataclasses import dataclass, field
from html import unescape

import requests
from django_otp.oath import totp

CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
HIDDEN = re.compile(r'<input type="hidden" name="(?!csrf)([^"]+)" value="([^"]*)"')
STEP = 30


@dataclass
class Visitor:
    """One person of the demo, by what `demo.json` knows of them, at the portal under `url`."""

    url: str
    email: str
    password: str
    totp_secret: str
    http: requests.Session = field(default_factory=requests.Session)

    def sign_in(self, *, steps_ago: int = 1) -> None:
        """Both steps. The code is the one before the current one, so that this is left for a decision."""
        page = self.get("/sign-in/")
        page = self.post("/sign-in/", page, email=self.email, password=self.password)
        assert "Authentication code" in page, page
        page = self.post("/sign-in/code/", page, code=self.code(steps_ago=steps_ago))
        assert "/inbox/" in page, page

    def approve(self, reference: str) -> None:
        """Approve a request for money, with a second factor for it alone."""
        page = self.get(f"/requests/{reference}/")
        told = self.post(f"/requests/{reference}/decide/", page, code=self.code(), decision="approve")
        assert "You approved" in told, told

    def code(self, *, steps_ago: int = 0) -> str:
        """What their authenticator app shows, or showed."""
        return f"{totp(base64.b32decode(self.totp_secret), STEP, 0, 6, -steps_ago):06d}"

    def get(self, path: str) -> str:
        """A page, once it is there."""
        answer = self.http.get(f"{self.url}{path}", timeout=30)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[-3000:])
        return answer.text

    def post(self, path: str, page: str, **fields: str) -> str:
        """Send the form of a page, with what is hidden in it; the page that came of it."""
        token = CSRF.search(page)
        assert token is not None, page
        hidden = {unescape(name): unescape(value) for name, value in HIDDEN.findall(page)}
        answer = self.http.post(
            f"{self.url}{path}", data={**hidden, "csrfmiddlewaretoken": token[1], **fields}, timeout=30
        )
        assert answer.status_code == 200, (path, answer.status_code, answer.text[-3000:])
        return answer.text


def wait_for_room() -> None:
    """Come back where a code lasts some seconds more."""
    if (left := STEP - time.time() % STEP) < 6:
        time.sleep(left)
