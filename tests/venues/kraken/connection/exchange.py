"""What the tests' exchange knows of its keys, and answers to whoever tries one."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from portal.core.secrets.request_signature import compute
from portal.venues.kraken.connection.trial import Typed
from portal.venues.kraken.credentials.finding import keyed
from portal.venues.kraken.models import Purpose
from tests.venues.kraken.conftest import Exchange, answering

QUERIES = ("query-funds", "query-ledger", "query-open-trades", "query-closed-trades")
ASSETS = {"XXBT": {"altname": "XBT", "decimals": 10, "display_decimals": 5, "aclass": "currency", "status": "enabled"}}
PAIRS = {"XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD"}}


def secret_of(public: str) -> str:
    """The private key of that key, as long as a real one."""
    return b64encode(public.encode().ljust(64, b"-")).decode()


def info(*permissions: str, **said: Any) -> dict[str, Any]:
    """What `GetApiKeyInfo` answers, in the spelling of the documentation, and other where `said`."""
    return {
        "apiKeyName": "one of ours", "nonce": "0", "nonceWindow": 0, "permissions": list(permissions),
        "iban": "AA88 N84G WOAK NMOI", "validUntil": "0", "queryFrom": "0", "queryTo": "0", "createdTime": "1522132642",
        "modifiedTime": "1618230358", "ipAllowlist": ["127.0.0.1"], "lastUsed": None, **said,
    }  # fmt: skip


@dataclass
class Keys:
    """Keys by their public halves: what `GetApiKeyInfo` says of each, and the errors of other calls by method."""

    exchange: Exchange
    info: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one call."""
        method, public = handler.path.split("?")[0].rpartition("/")[2], handler.headers.get("API-Key", "")
        known = {
            "Assets": ASSETS,
            "AssetPairs": PAIRS,
            "Balance": {"XXBT": "1.5"},
            "WithdrawMethods": [],
            **self.results,
        }
        errors = self.errors.get((public, method)) or self.errors.get(("", method))
        if "/private/" in handler.path and not errors:
            errors = self.refusal(handler, public, method)
        result = self.info.get(public) if method == "GetApiKeyInfo" else known.get(method)
        said: dict[str, Any] = {"error": errors} if errors else {"error": [], "result": result}
        answering(json.dumps(said).encode())(handler)

    def refusal(self, handler: BaseHTTPRequestHandler, public: str, method: str) -> list[str]:
        """What the exchange's own rules say of the call."""
        if public not in self.info:
            return ["EAPI:Invalid key"]
        path, fields = self.exchange.asked[-1]
        signed = compute(keyed(secret_of(public)), path=path, nonce=fields["nonce"], body=self.exchange.bodies[-1])
        if b64decode(handler.headers["API-Sign"]) != signed:
            return ["EAPI:Invalid signature"]
        said = self.info[public]
        seen = int(said.get("nonce") or 0)
        if int(fields["nonce"]) <= seen:
            return ["EAPI:Invalid nonce"]
        said["nonce"] = str(int(fields["nonce"]) if method != "GetApiKeyInfo" else seen)
        needed = {"Balance": "query-funds", "WithdrawMethods": "withdraw-funds"}.get(method)
        return ["EGeneral:Permission denied"] if needed and needed not in said["permissions"] else []


def typed(purpose: Purpose, public: str, *, secret: str | None = None) -> Typed:
    """As somebody types it into the form with two credentials."""
    return Typed(purpose, purpose.label, public, secret_of(public) if secret is None else secret, f"{purpose.value}_")


WITHDRAW, REST = "WITHDRAWING-PUBLIC-HALF", "EVERYTHING-ELSE-PUBLIC-HALF"
BOTH = (typed(Purpose.WITHDRAW, WITHDRAW), typed(Purpose.REST, REST))
