"""Names that look alike: two of them must not stand for two people, or two things, among the same readers."""

import unicodedata
from functools import lru_cache
from typing import Final

from confusable_homoglyphs.confusables import confusables_data

# Look-alikes within plain letters, which no list of foreign ones names: what is left is never shown to anybody.
ALIKE: Final = str.maketrans({"i": "l", "1": "l", "|": "l", "0": "o"})
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


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    alike = (str(other["c"]) for other in confusables_data.get(letter, ()))
    return min((one for one in alike if len(one) == 1 and one.isascii() and one.isalnum()), default=letter)
