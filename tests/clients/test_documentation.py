"""What docs/bots.md tells bot authors to type works as it stands there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT, Portal
from tests.serving import KEPT

pytestmark = pytest.mark.slow

TEXT = (ROOT / "docs/bots.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


def snippet(name: str) -> str:
    """The code under a bold name."""
    found = re.search(rf"^\*\*{name}\*\*\n\n```\w+\n(.*?)```", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


def run(portal: Portal, tmp_path: Path, name: str, key: tuple[str, str]) -> str:
    """What the snippet prints, with nothing changed but the address and the key."""
    code = snippet(name)
    assert ADDRESS in code
    code = code.replace(ADDRESS, portal.url)
    environment = {name: value for name, value in portal.environment.items() if name in KEPT}
    if name == "curl":
        command = ["bash", "-euo", "pipefail", "-c", code]
        environment |= {"KEY": key[0], "SECRET": key[1]}
    else:
        assert len([line for line in code.splitlines() if line.strip()]) <= 6
        (tmp_path / "bot.py").write_text(f"KEY, SECRET = {key!r}\n{code}")
        command = [sys.executable, "-W", "ignore", "bot.py"]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_krakenex(portal, tmp_path):
    printed = run(portal, tmp_path, "krakenex", portal.keys["treasury-bot"])
    assert "'XXBT'" in printed
    assert "'refid'" in printed


def test_ccxt(portal, tmp_path):
    printed = run(portal, tmp_path, "ccxt", portal.keys["treasury-bot"])
    assert "'free'" in printed
    assert "'id': '" in printed


def test_python_kraken_sdk(portal, tmp_path, monkeypatch):
    # Its nonces would end the key for the other clients, so it gets another bot's, whose address has another name.
    monkeypatch.setattr(sys.modules[__name__], "TEXT", TEXT.replace("btc-cold", "eve-cold"))
    printed = run(portal, tmp_path, "python-kraken-sdk", portal.elsewhere)
    assert "'XXBT'" in printed
    assert "'refid'" in printed


def test_curl(portal, tmp_path):
    answer = json.loads(run(portal, tmp_path, "curl", portal.keys["trading-bot"]))
    assert answer["error"] == []
    assert "XXBT" in answer["result"]
