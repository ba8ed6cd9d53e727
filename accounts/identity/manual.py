"""The default provider: a member who holds Approve on Manage Access looks at it."""

from typing import Final

from accounts.models import IdentityCheck


class ManualReview:
    """Nothing is sent anywhere; reviewers find it on the members page."""

    name: Final = "manual"
    promise: Final = (
        "A member who approves on Manage Access compares what you write here with your document. It is kept sealed."
    )

    def submitted(self, check: IdentityCheck) -> None:
        """Reviewers look by themselves."""
