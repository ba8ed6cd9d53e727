"""A second factor shown again before what matters (security SU-1 to SU-5)."""

from django.db import transaction
from django.utils import timezone

from accounts import session
from accounts.factors import totp
from accounts.models import Authenticator
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.errors import Invalid
from portal.core.http import MemberRequest, Proof


class SessionStepUp:
    """`request.step_up` of a signed-in Member: its marks live in the server's session and end with it."""

    def __init__(self, request: MemberRequest) -> None:
        self.request = request

    def recent(self) -> Proof | None:
        """The last proof, the sign-in itself included, if it is less than five minutes old."""
        return session.recent_proof(self.request.session)

    def verify(self, code: str, *, change: str = "", digest: str = "") -> Proof:
        """Check an authentication code now and give the session a new key.

        A proof bound to `change` and `digest` is returned and kept nowhere, so it opens no window for anything else.

        Raises: Invalid with `field="code"` if the code is wrong, used, or comes too soon after failures.
        """
        member = self.request.member
        with transaction.atomic(durable=True):
            lock_history(member.organization_id)
            checked = totp.verify(member.user, code)
            has_passed = isinstance(checked, Authenticator)
            record(
                EventKind.STEP_UP_SUCCEEDED if has_passed else EventKind.STEP_UP_FAILED,
                actor=member,
                subject=member,
                workflow=Workflow.MANAGE_ACCESS,
                outcome="success" if has_passed else "refused",
                factor=totp.NAME,
                change=change,
            )
        if not isinstance(checked, Authenticator):
            raise Invalid(checked.message, field="code")
        self.request.session.cycle_key()
        if not change:
            session.note_proof(self.request.session, totp.NAME)
        return Proof(factor=totp.NAME, at=timezone.now(), change=change, digest=digest)
