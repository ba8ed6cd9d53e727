"""Who may do what, what each workflow asks for, and what has been asked and decided."""

from policies.models.change import OPEN_STATES, ChangeRequest, Decision, State
from policies.models.draft import PolicyDraft
from policies.models.freeze import Freeze
from policies.models.grant import Grant
from policies.models.group import Group, GroupMember
from policies.models.policy import Policy
from policies.models.replay import Replay, ReplayState

__all__ = [
    "OPEN_STATES",
    "ChangeRequest",
    "Decision",
    "Freeze",
    "Grant",
    "Group",
    "GroupMember",
    "Policy",
    "PolicyDraft",
    "Replay",
    "ReplayState",
    "State",
]
