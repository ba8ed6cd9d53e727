"""Who may finish alone, who may decide, and what could never be finished (DESIGN P1 to P6, R3, R4).

Pure: facts in, answer out. `policies.snapshot` gathers them; nothing here reads the database or the clock. The rooms,
each importing only from those before it: `facts` (what there is), `needs` (how many approvals), `deciding` (who may
give them), `dead_ends` (what nobody could finish).
"""

from policies.rules.eligibility import Reason, eligible, is_met, is_rejected, lost_right, may_vouch, voided, why_not
from policies.rules.facts import (
    MAX_APPROVALS,
    MAX_OPEN_HOURS,
    NEVER,
    PASSKEY,
    RESTED,
    UNSEEN,
    WITHDRAW,
    Bot,
    Facts,
    Held,
    Initiator,
    Key,
    NamedAccounts,
    NotGathered,
    Person,
    Terms,
)
from policies.rules.quorum import (
    Asked,
    Need,
    approvals_needed,
    is_locked,
    locked_number,
    policy_of,
    still_needed,
)

__all__ = [
    "MAX_APPROVALS",
    "MAX_OPEN_HOURS",
    "NEVER",
    "PASSKEY",
    "RESTED",
    "UNSEEN",
    "WITHDRAW",
    "Asked",
    "Bot",
    "Facts",
    "Held",
    "Initiator",
    "Key",
    "NamedAccounts",
    "Need",
    "NotGathered",
    "Person",
    "Reason",
    "Terms",
    "approvals_needed",
    "eligible",
    "is_locked",
    "is_met",
    "is_rejected",
    "locked_number",
    "lost_right",
    "may_vouch",
    "policy_of",
    "still_needed",
    "voided",
    "why_not",
]
