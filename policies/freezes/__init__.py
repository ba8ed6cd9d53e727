"""Freezing a workflow, an Account of it or one address at once, what that stops, and lifting it (DESIGN §4).

What is frozen is not asked, approved or carried out. Rejecting, taking back, expiry, brakes, reading, and whatever
makes a freeze longer or lifts it go on.
"""

from policies.freezes.stopped import bar, holding_up, of_request, refuse

__all__ = ["bar", "holding_up", "of_request", "refuse"]
