"""Every kind of thing the history remembers: `subject.verb`, in the past tense."""

from enum import StrEnum

MANAGE_ACCESS = "manage_access"
_WORKFLOW_OF_SUBJECT = {
    "policy": "manage_policies",
    "address": "manage_addresses",
    "withdrawal": "initiate_withdrawal",
    "data": "initiate_withdrawal",
    "alarm": "initiate_withdrawal",
}


class EventKind(StrEnum):
    """What happened. The value is stored for ever, so it is never reused for something else."""

    SIGN_IN_SUCCEEDED = "sign_in.succeeded"
    SIGN_IN_FAILED = "sign_in.failed"
    SIGN_IN_THROTTLED = "sign_in.throttled"
    SIGN_IN_NOTICED = "sign_in.noticed"
    SIGNED_OUT = "session.ended"
    STEP_UP_SUCCEEDED = "step_up.succeeded"
    STEP_UP_FAILED = "step_up.failed"
    ACCESS_DENIED = "access.denied"
    CSRF_REFUSED = "request.refused_without_token"
    CALL_REFUSED = "call.refused"

    ORGANIZATION_CREATED = "organization.created"
    ACCOUNT_ADDED = "account.added"
    ACCOUNT_CONNECTED = "account.connected"
    ACCOUNT_DISCONNECTED = "account.disconnected"
    CREDENTIAL_ADDED = "credential.added"
    CREDENTIAL_REMOVED = "credential.removed"
    CREDENTIAL_TRIED = "credential.tried_again"
    MEMBER_ADDED = "member.added"
    MEMBER_INVITED = "member.invited"
    INVITATION_SENT_AGAIN = "invitation.sent_again"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_ACCEPTED = "invitation.accepted"
    PROFILE_CHANGED = "profile.changed"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105
    PASSWORD_LINK_SENT = "password.link_sent"  # noqa: S105
    PASSWORD_RESET = "password.reset"  # noqa: S105
    RECOVERY_ANNOUNCED = "recovery.announced"
    RECOVERY_CANCELLED = "recovery.cancelled"
    RECOVERY_OPENED = "recovery.opened"
    MEMBER_REMOVED = "member.removed"
    MEMBER_SUSPENDED = "member.suspended"
    SUSPENSION_CONFIRMED = "member.suspension_confirmed"
    MEMBER_KEPT_OUT = "member.kept_out"
    SUSPENSION_LAPSED = "member.suspension_lapsed"
    MEMBER_RESUMED = "member.resumed"
    RIGHTS_CHANGED = "rights.changed"
    FACTORS_RESET = "factor.reset"
    IDENTITY_SUBMITTED = "identity.submitted"
    IDENTITY_VIEWED = "identity.viewed"
    IDENTITY_VERIFIED = "identity.verified"
    IDENTITY_REJECTED = "identity.rejected"
    SECURITY_CHANGED = "organization.security_changed"
    BACKUP_RESTORED = "backup.restored"
    API_TIER_CHANGED = "organization.api_tier_changed"
    OWNERSHIP_OFFERED = "ownership.offered"
    OWNERSHIP_ACCEPTED = "ownership.accepted"
    OWNERSHIP_DECLINED = "ownership.declined"
    FACTOR_ADDED = "factor.added"
    FACTOR_ADDED_BY_CODE = "factor.added_by_recovery_code"
    FACTOR_REMOVED = "factor.removed"
    FACTOR_RENAMED = "factor.renamed"
    RECOVERY_CODES_MADE = "recovery_codes.made"

    SERVICE_USER_CREATED = "service_user.created"
    SERVICE_USER_CHANGED = "service_user.changed"
    SERVICE_USER_SUSPENDED = "service_user.suspended"
    SERVICE_USER_RESUMED = "service_user.resumed"
    SERVICE_USER_REMOVED = "service_user.removed"
    EXPORT_MADE = "export.made"
    KEY_ISSUED = "key.issued"
    KEY_REVEALED = "key.revealed"
    KEY_ROTATED = "key.rotated"
    KEY_OVERLAP_ENDED = "key.overlap_ended"
    KEY_REVOKED = "key.revoked"
    KEY_PAUSED = "key.paused"
    KEY_RESUMED = "key.resumed"
    KEY_LAPSED = "key.lapsed"
    STREAM_OPENED = "stream.opened"
    STREAM_CLOSED = "stream.closed"

    GROUP_CREATED = "group.created"
    GROUP_CHANGED = "group.changed"
    GROUP_REMOVED = "group.removed"
    POLICY_CONFIGURED = "policy.configured"
    POLICY_LOCKED = "policy.locked"
    POLICY_UNLOCKED = "policy.unlocked"
    POLICY_REMOVED = "policy.removed"
    WORKFLOW_REHEARSED = "workflow.rehearsed"

    FREEZE_BEGUN = "freeze.begun"
    FREEZE_EXTENDED = "freeze.extended"
    FREEZE_LIFTED = "freeze.lifted"
    FREEZE_LAPSED = "freeze.lapsed"

    ADDRESS_ADDED = "address.added"
    ADDRESS_RENAMED = "address.renamed"
    ADDRESS_REMOVED = "address.removed"

    CHANGE_REQUESTED = "change.requested"
    CHANGE_APPROVED = "change.approved"
    CHANGE_DELAYED = "change.delayed"
    CHANGE_REJECTED = "change.rejected"
    CHANGE_OPPOSED = "change.opposed"
    CHANGE_CANCELLED = "change.cancelled"
    CHANGE_EXPIRED = "change.expired"
    CHANGE_STALE = "change.became_stale"
    CHANGE_EXECUTED = "change.executed"
    CHANGE_FAILED = "change.failed"
    CHANGE_REFUSED = "change.refused"

    WITHDRAWAL_HELD = "withdrawal.held"
    WITHDRAWAL_SENT = "withdrawal.sent"
    WITHDRAWAL_ARRIVED = "withdrawal.arrived"
    WITHDRAWAL_BROKE = "withdrawal.broke"
    WITHDRAWAL_RELEASED = "withdrawal.released"
    WITHDRAWAL_SETTLED = "withdrawal.settled"

    ALARM_RAISED = "alarm.raised"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"

    HISTORY_EXPORTED = "history.exported"
    DATA_EXPORTED = "data.exported"

    @property
    def workflow(self) -> str:
        """The workflow whose View opens such an event when nothing more exact is said (security AU-7)."""
        return _WORKFLOW_OF_SUBJECT.get(self.value.partition(".")[0], MANAGE_ACCESS)

    @property
    def words(self) -> str:
        """In words for the history page: `Service user suspended`."""
        return self.value.replace(".", " ").replace("_", " ").capitalize()
