"""Takes what looks like a secret out of every line of the log, also out of tracebacks (security SE-4, AU-6)."""

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
)


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
        return True


def redacted(text: str) -> str:
    """`text` with everything that looks like a secret replaced."""
    return LOOKS_SECRET.sub(REDACTED, text)
