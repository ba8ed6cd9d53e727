"""Names that look alike: two of them must not stand for two people, or two things, among the same readers."""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import import_module
from typing import Final, TypeAlias

# For a letter those that look like it, each under `c`.
Confusables: TypeAlias = Mapping[str, Sequence[Mapping[str, str]]]
# Look-alikes within plain letters, which no list of foreign ones names: what is left is never shown to anybody.
ALIKE: Final = str.maketrans({"i": "l", "1": "l", "|": "l", "0": "o"})
LIST: Final = "confusable_homoglyphs.confusables"
PAIRS: Final = (("rn", "m"), ("vv", "w"))


def look(name: str) -> str:
    """What a reader sees of a name, as far as they could tell it from another: equal for names that look alike.

    After Unicode TR39 §4 (skeletons): compatible forms are made one (NFKC), a letter that a plain one can stand for
    becomes that one, capitals do not count, and neither does how many spaces there are.
    """
    plain = "".join(_plain(letter) for letter in unicodedata.normalize("NFKC", name))
    seen = " ".join(plain.casefold().split()).translate(ALIKE)
    for pair, one in PAIRS:
        seen = seen.replace(pair, one)
    return seen


@cache
def _confusables() -> Confusables:
    # Read when somebody writes a foreign letter: the list is long, and every command and server would read it.
    found: Confusables = import_module(LIST).confusables_data
    return found


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    alike = (str(other["c"]) for other in _confusables().get(letter, ()))
    return min((one for one in alike if len(one) == 1 and one.isascii() and one.isalnum()), default=letter)
