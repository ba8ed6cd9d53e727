"""ccxt for JavaScript as released, told nothing but the addresses: another language, and another library of sockets."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.running import ROOT

MODULES = ROOT / "requirements/npm/node_modules"
IS_MISSING = not (shutil.which("node") and (MODULES / "ccxt").exists())
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(IS_MISSING, reason="node, or its client library, is not installed: see `make test`"),
]


def test_a_bot_in_javascript(bot):
    environment = {
        "PATH": str(Path(shutil.which("node") or "").parent),
        "MODULES": f"{MODULES}/",
        "API_KEY": bot.key,
        "API_SECRET": bot.secret,
        "URL_OF_CALLS": bot.url,
        "URL_OF_SOCKETS": f"{bot.socket_url}/v2",
    }
    program = ["node", str(Path(__file__).with_name("ccxt_pro.mjs"))]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = dict(map(json.loads, done.stdout.splitlines()))

    assert 0 < said["ticker"]["bid"] < said["ticker"]["ask"]
    assert len(said["book"]["bids"]) == len(said["book"]["asks"]) == 10
    assert said["book"]["bids"][0][0] < said["book"]["asks"][0][0]
    assert {trade["symbol"] for trade in said["trades"]} == {"BTC/USD"}
    assert all(low <= close <= high for _, _, high, low, close, _ in said["candles"])
    assert said["balance"] == {"BTC": 2, "USD": 100000}
    assert said["order"] == {"id": said["made"]["id"], "status": "open", "price": 10000, "amount": 0.01}
    assert said["cancelled"]["result"] == {"order_id": said["made"]["id"]}
    assert said["end"] == "canceled"
    assert (said["trade"]["mine"], said["trade"]["side"], said["trade"]["amount"]) == (True, "sell", 0.01)
    assert said["cancelled all"]["result"] == {"count": 0}
    assert said["refused"] == "OrderNotFound"
