"""Somebody outside of the machines: signs in as a browser would, and calls as a bot does, with the released client.

It is a program, for it has to run where the machines can be reached. It is told what to do as JSON on standard input,
and tells as JSON what came of it.
"""

import base64
import hashlib
import hmac
import json
import re
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import krakenex
import requests

from tests.machines.networks import Network
from tests.serving import surroundings

ROOT: Final = Path(__file__).resolve().parents[2]
SECONDS: Final = 30


@dataclass(frozen=True)
class Visitor:
    """Who asks, from outside, for pages and calls below `url`; trusts that certificate and no other."""

    network: Network
    url: str
    certificate: Path

    def sign_in(self, email: str, password: str, secret: str) -> dict[str, str]:
        """The cookies of whoever has signed in with a password and a code of their authenticator app."""
        cookies: dict[str, str] = self._ask(do="sign_in", email=email, password=password, secret=secret)
        return cookies

    def get(self, path: str, cookies: Mapping[str, str] | None = None, *, url: str = "") -> tuple[int, str, str]:
        """Status, body and the place it leads to; nothing is followed."""
        status, body, place = self._ask(do="get", path=path, cookies=dict(cookies or {}), url=url or self.url)
        return status, body, place

    def submit(self, path: str, cookies: Mapping[str, str], *, action: str = "", **fields: str) -> tuple[int, str, str]:
        """Open a page, fill in its form and send it, or to `action`: status, body and place of where that leads."""
        status, body, place = self._ask(do="submit", path=path, cookies=dict(cookies), action=action, fields=fields)
        return status, body, place

    def call(self, key: str, secret: str, method: str, **data: str) -> dict[str, Any]:
        """What a bot is answered."""
        answer: dict[str, Any] = self._ask(do="call", key=key, secret=secret, method=method, data=data)
        return answer

    def _ask(self, **told: object) -> Any:
        told = {"url": self.url, "certificate": str(self.certificate), **told}
        done = subprocess.run(
            [*self.network.inside, sys.executable, "-m", "tests.machines.visitor"],
            cwd=ROOT, env=surroundings(), input=json.dumps(told), capture_output=True, text=True, check=False,
            timeout=4 * SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)


def code(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238)."""
    seed = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(seed, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def _sign_in(told: dict[str, Any]) -> dict[str, str]:
    browser = requests.Session()
    browser.verify = told["certificate"]
    page = browser.get(f"{told['url']}/sign-in/", timeout=SECONDS)
    for fields in ({"email": told["email"], "password": told["password"]}, {"code": code(told["secret"])}):
        (token, *_) = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        page = browser.post(
            page.url, {**fields, "csrfmiddlewaretoken": token}, headers={"Referer": page.url}, timeout=SECONDS
        )
        page.raise_for_status()
    assert "/sign-in/" not in page.url, page.text
    return {name: value or "" for name, value in browser.cookies.items()}


def _get(told: dict[str, Any]) -> tuple[int, str, str]:
    answer = requests.get(
        told["url"] + told["path"], cookies=told["cookies"], verify=told["certificate"], allow_redirects=False,
        timeout=SECONDS,
    )  # fmt: skip
    return answer.status_code, answer.text, answer.headers.get("Location", "")


def _submit(told: dict[str, Any]) -> tuple[int, str, str]:
    browser = requests.Session()
    browser.verify = told["certificate"]
    browser.cookies.update(told["cookies"])
    page = browser.get(told["url"] + told["path"], timeout=SECONDS)
    page.raise_for_status()
    (form, *_) = re.findall(r'<form class="form".*?</form>', page.text, re.DOTALL)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    fields = {**hidden, **told["fields"]}
    where = told["url"] + told["action"] if told["action"] else page.url
    answer = browser.post(where, fields, headers={"Referer": page.url}, timeout=SECONDS)
    return answer.status_code, answer.text, answer.url


def _call(told: dict[str, Any]) -> Any:
    bot = krakenex.API(told["key"], told["secret"])
    bot.uri = told["url"]
    bot.session.verify = told["certificate"]
    return bot.query_private(told["method"], told["data"], timeout=SECONDS)


def main() -> None:
    """Do what is told."""
    told = json.load(sys.stdin)
    done = {"sign_in": _sign_in, "get": _get, "submit": _submit, "call": _call}[told["do"]](told)
    json.dump(done, sys.stdout)


if __name__ == "__main__":
    main()
