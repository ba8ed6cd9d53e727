"""Ready examples for whoever has just got a key: the clients that bots are written with, and this portal's address."""

from dataclasses import dataclass
from typing import Final

KRAKENEX: Final = """\
import os

import krakenex

api = krakenex.API(os.environ["API_KEY"], os.environ["API_SECRET"])
api.uri = "{portal}"
print(api.query_private("GetApiKeyInfo"))
"""
CCXT: Final = """\
import os

import ccxt

exchange = ccxt.kraken({{"apiKey": os.environ["API_KEY"], "secret": os.environ["API_SECRET"]}})
exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = "{portal}"
print(exchange.private_post_getapikeyinfo())
"""
CURL: Final = """\
nonce=$(date +%s%3N) path=/0/private/GetApiKeyInfo body="nonce=$nonce"
secret=$(printf %s "$API_SECRET" | base64 -d | od -An -v -tx1 | tr -d ' \\n')
sign=$({{ printf %s "$path"; printf %s "$nonce$body" | openssl dgst -sha256 -binary; }} |
  openssl dgst -sha512 -mac HMAC -macopt "hexkey:$secret" -binary | base64 -w0)
curl -sS -H "API-Key: $API_KEY" -H "API-Sign: $sign" -d "$body" "{portal}$path"
"""


@dataclass(frozen=True, slots=True)
class Snippet:
    """One example. Neither half of the key stands in it: it reads both from the environment."""

    key: str
    title: str
    code: str


def snippets(portal: str) -> tuple[Snippet, ...]:
    """One for each client; `portal` is the address that the bots call. Each asks which key it is, as any key may."""
    return tuple(
        Snippet(title, title, code.format(portal=portal))
        for title, code in (("krakenex", KRAKENEX), ("ccxt", CCXT), ("curl", CURL))
    )
