"""A bot's side of the protocol, written from the reference alone: it signs, sends and reads envelopes."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from itertools import count
from typing import Any, TypeAlias
from urllib.parse import urlencode

from django.test import Client
from django.utils import timezone

from tests.factories.world import Bot

Envelope: TypeAlias = "dict[str, Any]"

FORM = "application/x-www-form-urlencoded"
INVALID_KEY = "EAPI:Invalid key"
INVALID_SIGNATURE = "EAPI:Invalid signature"
INVALID_NONCE = "EAPI:Invalid nonce"
_later = count(1)


def sign(secret: str, path: str, nonce: str, body: bytes) -> str:
    message = path.encode() + hashlib.sha256(nonce.encode() + body).digest()
    return b64encode(hmac.new(b64decode(secret), message, hashlib.sha512).digest()).decode()


def next_nonce() -> int:
    """Always higher than the one before, and near the clock in nanoseconds."""
    return int(timezone.now().timestamp()) * 10**9 + next(_later)


class Wire:
    """One bot on Django's test client. Everything a test wants to get wrong can be given by hand."""

    def __init__(self, bot: Bot, *, source: str = "127.0.0.1") -> None:
        self.bot = bot
        self.source = source
        self.client = Client(raise_request_exception=False)

    def send(
        self,
        method: str,
        body: bytes,
        *,
        nonce: str,
        content_type: str = FORM,
        key: str | None = None,
        signature: str | None = None,
        query: str = "",
        headers: dict[str, str] | None = None,
        secure: bool = True,
    ):
        """Sign `body` as it stands with `nonce`, and give Django's response."""
        path = f"/0/private/{method}"
        signature = sign(self.bot.secret, path, nonce, body) if signature is None else signature
        return self.client.generic(
            "POST",
            path + query,
            body,
            content_type=content_type,
            secure=secure,
            headers={"API-Key": self.bot.public if key is None else key, "API-Sign": signature, **(headers or {})},
            REMOTE_ADDR=self.source,
        )

    def ask(self, method: str, /, *, nonce: object = None, **fields: object) -> Envelope:
        """The envelope of a well-formed call with a fresh nonce."""
        text = str(next_nonce() if nonce is None else nonce)
        body = urlencode({"nonce": text, **fields}).encode()
        return self.read(self.send(method, body, nonce=text))

    def ask_json(self, method: str, fields: Envelope, *, nonce: object = None) -> Envelope:
        nonce = str(next_nonce()) if nonce is None else nonce
        body = json.dumps({"nonce": nonce, **fields}).encode()
        return self.read(self.send(method, body, nonce=str(nonce), content_type="application/json"))

    def result(self, method: str, /, **fields: object):
        """What the call brought; it must have worked."""
        answer = self.ask(method, **fields)
        assert answer["error"] == [], answer
        return answer["result"]

    def error(self, method: str, /, **fields: object) -> str:
        return only_error(self.ask(method, **fields))

    @staticmethod
    def read(response) -> Envelope:
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        answer: Envelope = json.loads(response.content)
        assert set(answer) in ({"error"}, {"error", "result"})
        return answer


def only_error(answer: Envelope) -> str:
    assert list(answer) == ["error"], answer
    (error,) = answer["error"]
    return str(error)


def ask_public(method: str, *, verb: str = "GET", **fields: str) -> Envelope:
    client = Client(raise_request_exception=False)
    return Wire.read(client.generic(verb, f"/0/public/{method}", query_params=fields, secure=True))
