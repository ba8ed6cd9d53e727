"""What was needed and did not open: said to whoever runs the portal, in a line of the log and in a measure."""

import logging
from typing import Final

from portal.core.observing.meters import Counter
from portal.core.secrets.sealing import SealBroken

UNOPENED: Final = Counter(
    "countersign_unopened_total",
    "Sealed secrets that were needed and did not open: for a code of an app, a page, or a call of a bot.",
    {"for": ("code", "page", "call")},
)
logger = logging.getLogger(__name__)


def note(error: SealBroken, needed_for: str, what: str = "") -> None:
    """One line of the log, and one more: the place is named, nothing of the value is."""
    UNOPENED.add(needed_for)
    logger.error(
        "%s It was needed for a %s%s. `doctor` says which key of PORTAL_SEALING_KEYS is missing or wrong; if it is "
        "lost for good, docs/runbooks/lose-the-sealing-keys.md says what to do.",
        error,
        needed_for,
        f", {what}" if what else "",
    )
