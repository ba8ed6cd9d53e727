"""Answers of the real exchange as they were recorded, beside the checkout where they are."""

from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = Path(__file__).parents[5] / "shared" / "fixtures" / "rest"
needed: Final = pytest.mark.skipif(not FOLDER.exists(), reason="the recorded answers are not beside the checkout")


def answer(name: str) -> bytes:
    """The body of the answer of that name: what follows the verb, the path, and whether it was signed."""
    return (FOLDER / f"{name}.txt").read_bytes().split(b"\n", 3)[3]


def path(name: str) -> str:
    """Where it was asked."""
    return (FOLDER / f"{name}.txt").read_text().splitlines()[1]


def names() -> list[str]:
    """All of them; none where they are not."""
    return sorted(file.stem for file in FOLDER.glob("*.txt"))
