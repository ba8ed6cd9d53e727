"""What people write to each other beside a request: one rule for notes and reasons (security CR-15)."""

import re
import unicodedata
from typing import Final

from portal.core.display.markup import is_unseen
from portal.core.errors import Invalid

MAX_LENGTH: Final = 500
LINE_END: Final = re.compile(r"\r\n|\r|\n")


def clean(text: str, *, field: str, max_length: int = MAX_LENGTH) -> str:
    """`text` in Unicode form NFC on one line, without space at its ends.

    Raises: Invalid beside `field` if it is too long, or holds a character that shows as nothing or turns the text
    around: control, bidirectional or zero-width ones.
    """
    line = unicodedata.normalize("NFC", LINE_END.sub(" ", text).strip(" "))
    for place, character in enumerate(line, start=1):
        if is_unseen(character):
            raise Invalid(
                f"Character {place} (U+{ord(character):04X}) cannot be seen by a reader. Take it out.", field=field
            )
    if len(line) > max_length:
        raise Invalid(f"At most {max_length} characters; this has {len(line)}.", field=field)
    return line
