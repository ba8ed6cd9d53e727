"""Takes what looks like a secret, and how much or who, out of every line of the log (security SE-4, AU-6)."""

import logging
import re
from typing import Final

REDACTED: Final = "[redacted]"
LOOKS_SECRET: Final = re.compile(
    r"[A-Za-z0-9+/]{86}(?:==|%3D%3D)"  # 64 bytes in base64: the secret of a key, or a signature
    r"|\b[A-Za-z0-9]+\.[\w-]{16}\.[\w-]{40,}"  # a sealed value
    r"|(?<=secret=)[A-Z2-7]{16,}"  # the seed in the address of an authenticator app
    r"|\b[A-Z2-9]{32}\b"  # the same seed by itself, or the token of a link that was mailed
    # 32 bytes safe in an address, also behind an escape: the token of a socket, or a sealing key
    r"|(?:(?<![\w-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))[\w-]{43}(?![\w-])"
    r"|(?<=://)[^\s/@]+(?=@)"  # name and password in an address
)
TELLS_TOO_MUCH: Final = re.compile(
    # The row that a database refused, with all its values.
    r"(?P<kept>\bDETAIL:\s+)[^\n]+"
    # The mail address of somebody. It has an end, as an amount has: from each letter of 100,000 that are neither, the
    # whole of the rest would be gone through.
    r"|[\w.+%-]{1,254}+@[\w-]+(?:\.[\w-]+)+"
    # How much, as exceptions have it.
    r"|(?<![\w.:/-])\d[\d,]{0,99}+(?:\.\d+)?(?=\s(?!UTC\b|GMT\b|HTTP\b|GET\b|POST\b)[A-Z]{3,5}\b)"
    r"|(?<=Decimal\(')[^']+(?='\))"
)
# What a record of the log has of itself; all else was given to it along with the message.
OWN: Final = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime"}


class RedactingFilter(logging.Filter):
    """Never drops a record; what stands in it is written out first, so that nothing comes back by its parts."""

    def __init__(self) -> None:
        super().__init__()
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """True always; what looks like a secret is gone from the record by then."""
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redacted(record.exc_text)
        if record.stack_info:
            record.stack_info = redacted(record.stack_info)
        for name, value in record.__dict__.items():
            if name not in OWN and isinstance(value, str):
                record.__dict__[name] = redacted(value)
        return True


def redacted(text: str) -> str:
    """`text` with everything that looks like a secret replaced, and amounts, mail addresses and rows of tables too."""
    return TELLS_TOO_MUCH.sub(_kept, LOOKS_SECRET.sub(REDACTED, text))


def _kept(found: re.Match[str]) -> str:
    return f"{found['kept'] or ''}{REDACTED}"
