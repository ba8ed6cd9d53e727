"""What docs/bots.md tells authors of bots to type for a socket works as it stands there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.streams.conftest import Bot
from tests.clients.streams.test_javascript import IS_MISSING, MODULES
from tests.clients.test_documentation import ADDRESS, snippet
from tests.running import Portal
from tests.serving import KEPT

pytestmark = pytest.mark.slow


def run(portal: Portal, bot: Bot, folder: Path, name: str) -> str:
    """What the snippet prints, with nothing changed but the addresses and the key."""
    code = snippet(name)
    in_the_guide = f"ws{ADDRESS.removeprefix('http')}"
    assert ADDRESS in code
    assert in_the_guide in code
    code = code.replace(ADDRESS, bot.url).replace(in_the_guide, bot.socket_url)
    key, secret = map(json.dumps, (bot.key, bot.secret))
    if name == "JavaScript":
        (folder / "node_modules").symlink_to(MODULES)
        (folder / "bot.mjs").write_text(f"const KEY = {key}, SECRET = {secret};\n{code}")
        command = ["node", "bot.mjs"]
    else:
        (folder / "bot.py").write_text(f"KEY, SECRET = {key}, {secret}\n{code}")
        command = [sys.executable, "-W", "ignore", "bot.py"]
    environment = {name: value for name, value in portal.environment.items() if name in KEPT}
    done = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ccxt_pro(portal, bot, tmp_path):
    printed = run(portal, bot, tmp_path, "ccxt.pro")
    assert "'total': 2.0" in printed
    assert "'id': 'O" in printed


def test_spot_ws_client(portal, bot, tmp_path):
    printed = run(portal, bot, tmp_path, "SpotWSClient")
    assert "'channel': 'executions', 'type': 'snapshot'" in printed
    assert "'channel': 'ticker', 'type': 'snapshot'" in printed


@pytest.mark.skipif(IS_MISSING, reason="node, or its client library, is not installed")
def test_javascript(portal, bot, tmp_path):
    printed = run(portal, bot, tmp_path, "JavaScript")
    assert "total: 2" in printed
    assert "id: 'O" in printed
