"""A second factor shown again before what matters (security SU-1 to SU-5)."""

from functools import cached_property
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.utils import timezone

from accounts.authentication import code_check, session_data
from accounts.factors import webauthn
from accounts.factors.enrolled import Factor, accepted, counted, held, kind_of, mark_of
from accounts.factors.totp import Failure
from accounts.factors.webauthn import Purpose, WentBack
from accounts.models import Member
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.errors import Invalid
from portal.core.factors import PASSKEY, TOTP
from portal.core.web.http import Proof


class SessionStepUp:
    """`request.step_up` of a signed-in Member: its marks live in the server's session and end with it."""

    def __init__(self, store: SessionBase, member: Member) -> None:
        self.store, self.member = store, member

    def recent(self) -> Proof | None:
        """The last proof, the sign-in itself included, if it is less than five minutes old.

        One that was shown to another Organization serves here only if it counts here, and the level takes it.
        """
        proof = session_data.recent_proof(self.store)
        if proof is None or proof.factor not in accepted(self.member.organization):
            return None
        return proof if counted(self.member, [proof.mark]) else None

    def factors(self) -> frozenset[str]:
        """What the Member holds of what the Organization's level takes."""
        return self._factors

    def challenge(self, *, change: str = "", digest: str = "") -> dict[str, Any]:
        """The options with which the browser asks for one of the Member's passkeys, for just this."""
        subject = self._subject(change, digest)
        return webauthn.challenge(self.store, Purpose.STEP_UP, user=self.member.user, subject=subject)

    def verify(self, code: str, *, change: str = "", digest: str = "") -> Proof:
        """Check an authentication code now and give the session a new key.

        A proof bound to `change` and `digest` is returned and kept nowhere, so it opens no window for anything else.

        Raises: Invalid with `field="code"` if the code is wrong, used, or comes too soon after failures.
        """
        member = self.member
        if TOTP not in accepted(member.organization):
            raise Invalid("This Organization asks for a passkey.", field="code")
        with transaction.atomic(durable=True):
            lock_history(member.organization_id)
            checked = code_check.check_app(member.user, code, place=member)
            self._record(TOTP, change=change, has_passed=not isinstance(checked, Failure))
        if isinstance(checked, Failure):
            raise Invalid(checked.message, field="code")
        return self._proved(checked, change, digest)

    def verify_passkey(self, answer: str, *, change: str = "", digest: str = "") -> Proof:
        """The same with what a passkey answered to `challenge(change=…, digest=…)`; each challenge passes once.

        Raises: Invalid if it is not accepted.
        """
        member, refused, shown = self.member, None, None
        with transaction.atomic(durable=True):
            lock_history(member.organization_id)
            try:
                with transaction.atomic():
                    subject = self._subject(change, digest)
                    shown = webauthn.verify(
                        self.store, Purpose.STEP_UP, answer, user=member.user, place=member, subject=subject
                    )
            except Invalid as error:
                refused = error
            reason = webauthn.COUNTER_WENT_BACK if isinstance(refused, WentBack) else ""
            self._record(PASSKEY, change=change, has_passed=refused is None, reason=reason)
        if shown is None:
            raise refused or Invalid(webauthn.NOT_ACCEPTED)
        return self._proved(shown, change, digest)

    @cached_property
    def _factors(self) -> frozenset[str]:
        member = self.member
        return held(member) & accepted(member.organization)

    def _subject(self, change: str, digest: str) -> str:
        return f"{self.member.pk}:{change}:{digest}"

    def _proved(self, shown: Factor, change: str, digest: str) -> Proof:
        store, factor, mark = self.store, kind_of(shown), mark_of(shown)
        store.cycle_key()
        session_data.note_shown(store, mark)
        if not change:
            session_data.note_proof(store, factor, mark)
            if store.get(session_data.SIGNED_IN_BY) not in accepted(self.member.organization):
                # Came in by a recovery code, or by a factor that the level does not take, and has now shown one.
                store[session_data.SIGNED_IN_BY] = factor
        return Proof(factor=factor, at=timezone.now(), change=change, digest=digest, mark=mark)

    def _record(self, factor: str, *, change: str, has_passed: bool, reason: str = "") -> None:
        why: dict[str, Any] = {"reason": reason} if reason else {}
        member = self.member
        record(
            EventKind.STEP_UP_SUCCEEDED if has_passed else EventKind.STEP_UP_FAILED,
            actor=member,
            subject=member,
            workflow=Workflow.MANAGE_ACCESS,
            outcome="success" if has_passed else "refused",
            factor=factor,
            change=change,
            **why,
        )
