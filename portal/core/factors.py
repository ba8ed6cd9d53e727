"""The kinds of second factor there are, and what people call them."""

from typing import Final

TOTP: Final = "totp"
PASSKEY: Final = "passkey"
STRONG: Final = frozenset({TOTP, PASSKEY})
# One of these opens the door once; it never counts as a factor held, and never serves at a step-up (security F-7).
RECOVERY_CODE: Final = "recovery"
WORDS: Final = {TOTP: "authenticator app", PASSKEY: "passkey", RECOVERY_CODE: "recovery code"}


def factor_word(kind: str) -> str:
    """`passkey`, as within a sentence; a kind that nobody knows as it is written."""
    return WORDS.get(kind, kind or "an unknown factor")
