"""What the README tells a newcomer to type works as it stands there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import krakenex
import pytest

from tests.browser.conftest import ROOT, Portal

pytestmark = [pytest.mark.browser, pytest.mark.story]


# What step 13 has one write in the script, by what step 4 has there.
AT_THE_EXCHANGE = (("treasury-bot", "gateway-bot"), ("btc-cold", "btc-vault"))


@pytest.mark.parametrize("written", [(), AT_THE_EXCHANGE], ids=["step 4", "step 13"])
def test_the_bot_of_the_readme_waits_for_approval(
    portal: Portal, tmp_path: Path, written: tuple[tuple[str, str], ...]
) -> None:
    readme = (ROOT / "README.md").read_text()
    script = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert script is not None
    lines = [line[3:] for line in script[1].splitlines()]
    assert len([line for line in lines if line.strip()]) <= 15
    code = "\n".join(lines)
    for before, after in written:
        assert before in code
        assert f"`{after}` for `{before}`" in readme
        code = code.replace(before, after)
    (tmp_path / "bot.py").write_text(code)
    (tmp_path / "var").mkdir()
    shutil.copy(portal.folder / "var" / "demo.json", tmp_path / "var")
    with subprocess.Popen([sys.executable, "bot.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as bot:
        assert bot.stdout is not None
        reference, *stage = bot.stdout.readline().split()
        bot.terminate()
    assert stage == ["Initial", "onhold"]
    _take_back(portal, dict(written).get("treasury-bot", "treasury-bot"), reference)


def _take_back(portal: Portal, name: str, reference: str) -> None:
    """Leave the portal as it was for whatever is tested next."""
    bot = next(bot for bot in portal.demo["service_users"] if bot["name"] == name)
    api = krakenex.API(bot["api_key"], bot["api_secret"])
    api.uri = portal.base_url
    assert api.query_private("WithdrawCancel", {"asset": "XBT", "refid": reference})["result"] is True


def test_the_address_and_the_people_are_the_last_words_of_make_run(portal: Portal) -> None:
    """Fault pages-1, step 1: what the server says at its start comes before them, and so does each step on the way."""
    before, _, said = portal.welcome.partition("The demo ")
    assert "Preparing the database and the demo" in before
    assert portal.base_url in said.splitlines()[0]
    assert {member["email"] for member in portal.demo["members"]} <= set(said.split())
    assert said.endswith("demo.json\n"), said


def test_every_page_the_readme_leads_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target
