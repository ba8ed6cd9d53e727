"""The default provider: a member who holds Approve on Manage Access looks at it."""

from typing import Final

from django.urls import reverse

from accounts.authentication import notifications
from accounts.authentication.email_links import absolute
from accounts.members.identity.reviewers import reviewers_of
from accounts.models import IdentityCheck


class ManualReview:
    """Nothing is sent anywhere; who may judge it is told by mail, and finds it in the inbox."""

    name: Final = "manual"
    promise: Final = (
        "A member who approves on Manage Access compares what you write here with your document. It is kept sealed."
    )

    def submitted(self, check: IdentityCheck) -> None:
        """Tell those who may judge it; what the person wrote is in no mail."""
        member = check.member
        for reviewer in reviewers_of(member):
            # The inbox shows it as long as it waits; a notice would stay after somebody else has done it.
            notifications.mail_only(
                reviewer.user,
                "identity_waits",
                name=member.label,
                email=member.user.email,
                organization=member.organization.name,
                source="",
                link=absolute(reverse("accounts:review_identity", args=[member.pk])),
            )
