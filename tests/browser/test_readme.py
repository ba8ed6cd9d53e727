"""What the README tells a newcomer to type works as it stands there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import ROOT, Portal

pytestmark = [pytest.mark.browser, pytest.mark.story]


def test_the_bot_of_the_readme_waits_for_approval(portal: Portal, tmp_path: Path) -> None:
    script = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert script is not None
    lines = [line[3:] for line in script[1].splitlines()]
    assert len([line for line in lines if line.strip()]) <= 15
    (tmp_path / "bot.py").write_text("\n".join(lines))
    (tmp_path / "var").mkdir()
    shutil.copy(portal.folder / "var" / "demo.json", tmp_path / "var")
    with subprocess.Popen([sys.executable, "bot.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as bot:
        assert bot.stdout is not None
        first = bot.stdout.readline()
        bot.terminate()
    assert first.split()[1:] == ["Initial", "onhold"], first


def test_every_page_the_readme_leads_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target
