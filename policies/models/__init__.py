"""Who may do what, what each workflow asks for, and what has been asked and decided."""

from policies.models.change import ChangeRequest, Decision, State
from policies.models.grant import Grant
from policies.models.policy import Policy

__all__ = ["ChangeRequest", "Decision", "Grant", "Policy", "State"]
