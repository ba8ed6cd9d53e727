"""What can go wrong on the way to the exchange, by what it leaves known: the columns of the table of retries."""

import json
import time
from collections.abc import Mapping
from typing import Final

from tests.gateway.proxy import faults
from tests.gateway.proxy.faults import Fault
from tests.gateway.proxy.traffic import Answer

# Longer than one try may take in these tests.
LATE: Final = 1.5
PAGES: Final = (502, 503, 504, 520, 522, 525)

# The exchange has done it, and nothing that can be read came back.
DONE_AND_LOST: Final[Mapping[str, Fault]] = {
    "lost": faults.answer_lost,
    "reset": faults.reset_after,
    "cut in the middle": faults.cut_in_the_middle,
    "shorter than said": faults.longer_than_it_is,
    "longer than said": faults.shorter_than_it_is,
    "half of the JSON": faults.truncated_json(executed=True),
    "gzip that breaks off": faults.gzip_broken,
    "gzip in name only": faults.gzip_in_name_only,
    "slow": faults.slow(LATE),
    "dripping": faults.dripping(LATE * 2),
    "another shape": faults.shape([1], executed=True),
    "no error at all": faults.shape({"result": {}}, executed=True),
    "no result": faults.shape({"error": []}, executed=True),
    "an error that is a text": faults.shape({"error": "EService:Busy", "result": {}}, executed=True),
    **{f"page {status}": faults.page(status, executed=True) for status in PAGES},
}
# It has not, and that cannot be told from the above.
NOT_DONE_AND_LOST: Final[Mapping[str, Fault]] = {
    "cut before": faults.cut_before,
    "reset before": faults.reset_before,
    "half of another JSON": faults.truncated_json(executed=False),
    "redirect": faults.redirect(302, "http://127.0.0.1:9/0/private/Balance"),
    **{f"page {status}": faults.page(status, executed=False) for status in PAGES},
}
OVERLOADED: Final = (
    "EService:Unavailable",
    "EService:Busy",
    "EService:Timeout",
    "EService:Throttled",
    "EService: Throttled: 1700000000",
    "EGeneral:Internal error",
    "EGeneral:Internal error:42",
)
# By a rule of the exchange, or because nothing is gained by trying again: said once, and passed on.
PASSED: Final = (
    "EService:Market in cancel_only mode",
    "EService:Market in post_only mode",
    "EService:Market in limit_only mode",
    "EAPI:Rate limit exceeded",
    "EAPI:Bad request",
    "EAPI:Invalid token",
    "EGeneral:Permission denied",
    "EGeneral:Invalid arguments",
    "EGeneral:Invalid arguments:ordertype",
    "EGeneral:Invalid arguments:Index unavailable",
    "EGeneral:Invalid arguments:Invalid strategy ID",
    "EGeneral:Unknown method",
    "EGeneral:Too many requests",
    "EAuth:Rate limit exceeded",
    "EAuth:Too many requests",
    "EQuery:Unknown asset",
    "EOrder:Insufficient funds",
    "EOrder:Rate limit exceeded",
    "ETrade:User Locked",
    "EFunding:Too many addresses",
    "EEarnings:Busy",
)
# It may have been placed before its deadline; that is said by the exchange, and of no other call.
DEADLINE: Final = "EService:Deadline elapsed"
# About the portal's own credential: nothing to a bot, which has another one.
OF_THE_CREDENTIAL: Final = (
    "EAPI:Invalid key",
    "EAPI:Invalid signature",
    "EAPI:Feature disabled",
    "EGeneral:Temporary lockout",
    "EAccount:Invalid permissions",
    "EAuth:Account temporary disabled",
    "EAuth:Account unconfirmed",
)
NONCE: Final = "EAPI:Invalid nonce"


def overloaded(string: str, *, executed: bool) -> Fault:
    """The exchange says so; whether it did what was asked before is not known from that."""
    return faults.error(string, executed=executed)


def throttled(seconds: float) -> Fault:
    """Come back then, it says."""
    return lambda turn: turn.say(
        Answer(200, json.dumps({"error": [f"EService: Throttled: {int(time.time() + seconds)}"]}).encode())
    )
