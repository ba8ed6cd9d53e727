"""The language of a policy: rules `when … ask …`, and what they ask of one request (DESIGN P7).

Pure and without an order: what applies is everything that the matching rules ask, the strictest of each. The rooms:
`rule` (what can be written), `situation` (what is known of a request), `demand` (what is asked of it).
"""

from policies.rules.language.demand import NOTHING, Demand, demand, everything
from policies.rules.language.rule import (
    ANYTHING,
    INFINITE,
    Among,
    AtLeast,
    GroupApprovals,
    Rule,
    Scope,
    SumOf,
    Window,
    plain_rule,
)
from policies.rules.language.situation import MEMBER, SERVICE_USER, Situation, initiator_id
from policies.rules.language.validity import MAX_LISTED, MAX_RULES, flaw

__all__ = [
    "ANYTHING",
    "INFINITE",
    "MAX_LISTED",
    "MAX_RULES",
    "MEMBER",
    "NOTHING",
    "SERVICE_USER",
    "Among",
    "AtLeast",
    "Demand",
    "GroupApprovals",
    "Rule",
    "Scope",
    "Situation",
    "SumOf",
    "Window",
    "demand",
    "everything",
    "flaw",
    "initiator_id",
    "plain_rule",
]
