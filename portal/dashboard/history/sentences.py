"""What each kind of event says of whoever did it: `Ana Ruiz` *asked for* `request 12`. `{}` stands for the subject."""

from typing import Final

from portal.audit.kinds import EventKind

SENTENCES: Final[dict[str, str]] = {
    "sign_in.succeeded": "signed in",
    "sign_in.failed": "failed to sign in",
    "sign_in.throttled": "was kept from signing in for a while",
    "sign_in.noticed": "was told of a sign-in",
    "session.ended": "ended a session of {}",
    "step_up.succeeded": "showed a second factor again",
    "step_up.failed": "failed to show a second factor",
    "access.denied": "was refused access to {}",
    "request.refused_without_token": "sent a form without its token, which was refused",
    "call.refused": "made a call that was refused",
    "organization.created": "created {}",
    "organization.security_changed": "changed the security of {}",
    "backup.restored": "restored a backup of {}, and closed what was signed before",
    "organization.api_tier_changed": "changed how fast the bots of {} may call",
    "account.added": "added the Account {}",
    "account.connected": "connected the Account {} to its exchange",
    "account.disconnected": "disconnected the Account {} from its exchange",
    "credential.added": "added the exchange key {}",
    "credential.removed": "removed the exchange key {}",
    "credential.tried_again": "tried the exchange key {} again",
    "member.added": "added {} as a member",
    "member.invited": "invited {}",
    "member.removed": "removed {}",
    "member.suspended": "suspended {}",
    "member.resumed": "lifted the suspension of {}",
    "member.suspension_confirmed": "confirmed the suspension of {}",
    "member.kept_out": "kept {} out until that is lifted",
    "member.suspension_lapsed": "let the suspension of {} end by itself",
    "invitation.sent_again": "sent the invitation of {} again",
    "invitation.revoked": "revoked the invitation of {}",
    "invitation.accepted": "accepted the invitation",
    "profile.changed": "changed their profile",
    "password.changed": "changed their password",
    "password.link_sent": "asked for a link to a new password",
    "password.reset": "set a new password by a link",
    "recovery.announced": "announced a recovery of {}",
    "recovery.cancelled": "cancelled the recovery of {}",
    "recovery.opened": "opened the recovery of {}",
    "rights.changed": "changed the rights of {}",
    "factor.reset": "reset the second factors of {}",
    "factor.added": "added a second factor",
    "factor.added_by_recovery_code": "added a second factor with a recovery code",
    "factor.removed": "removed a second factor",
    "factor.renamed": "renamed a second factor",
    "recovery_codes.made": "made new recovery codes",
    "identity.submitted": "submitted their identity",
    "identity.viewed": "looked at the identity of {}",
    "identity.verified": "verified the identity of {}",
    "identity.rejected": "rejected the identity of {}",
    "ownership.offered": "offered ownership to {}",
    "ownership.accepted": "accepted ownership",
    "ownership.declined": "declined ownership",
    "service_user.created": "created the Service User {}",
    "service_user.changed": "changed the Service User {}",
    "service_user.suspended": "suspended the Service User {}",
    "service_user.resumed": "lifted the suspension of the Service User {}",
    "service_user.removed": "removed the Service User {}",
    "key.issued": "made the key {}",
    "key.revealed": "revealed the secret of the key {}",
    "key.rotated": "rotated a key: {} comes in",
    "key.overlap_ended": "ended the overlap of the key {}",
    "key.revoked": "revoked the key {}",
    "key.paused": "paused the key {}",
    "key.resumed": "lifted the pause of the key {}",
    "key.lapsed": "let the key {} lapse, which nobody revealed",
    "stream.opened": "began to stream with the key {}",
    "stream.closed": "closed a stream of the key {}",
    "group.created": "created the group {}",
    "group.changed": "changed the group {}",
    "group.removed": "removed the group {}",
    "policy.configured": "configured the policy of {}",
    "policy.locked": "locked the policy of {}",
    "policy.unlocked": "unlocked the policy of {}",
    "policy.removed": "removed the policy of {}",
    "freeze.begun": "froze {}",
    "freeze.extended": "froze {} for longer",
    "freeze.lifted": "lifted the freeze of {}",
    "freeze.lapsed": "let the freeze of {} end by itself",
    "workflow.rehearsed": "had everybody answer {}",
    "address.added": "added the address {}",
    "address.renamed": "renamed the address {}",
    "address.removed": "removed the address {}",
    "change.requested": "asked for {}",
    "change.approved": "approved {}",
    "change.rejected": "rejected {}",
    "change.opposed": "said no to {}",
    "change.delayed": "had {} wait for its time, after the last approval",
    "change.cancelled": "cancelled {}",
    "change.expired": "let {} expire",
    "change.became_stale": "found {} overtaken",
    "change.executed": "carried out {}",
    "change.failed": "could not carry out {}",
    "change.refused": "stopped {}",
    "withdrawal.held": "put the withdrawal {} on hold",
    "withdrawal.sent": "sent the withdrawal {}",
    "withdrawal.arrived": "saw the withdrawal {} arrive",
    "withdrawal.broke": "saw the withdrawal {} fail at the network",
    "withdrawal.released": "gave back the withdrawal {}",
    "withdrawal.settled": "said what became of the withdrawal {}",
    "alarm.raised": "raised an alarm: {}",
    "alarm.acknowledged": "acknowledged the alarm: {}",
    "history.exported": "exported the history",
    "export.made": "exported a list",
    "data.exported": "exported data as {}",
}
# What a filter offers, each with the beginnings of its kinds.
TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "Requests and decisions": ("change",),
    "Withdrawals": ("withdrawal",),
    "Alarms": ("alarm",),
    "Signing in": ("sign_in", "session", "step_up"),
    "Refusals": ("access", "request", "call"),
    "Members": ("member", "invitation", "rights", "identity", "ownership", "group"),
    "Factors and passwords": ("factor", "recovery_codes", "recovery", "password", "profile"),
    "Service Users and keys": ("service_user", "key", "stream"),
    "Policies": ("policy", "freeze"),
    "Addresses": ("address",),
    "Organization and Accounts": ("organization", "account", "credential"),
    "Exports": ("history", "data", "export"),
    # Whatever has no topic of its own yet.
    "Everything else": (),
}


def sentence(kind: str) -> tuple[str, str]:
    """What stands between the actor and the subject, and what follows; without a place for the subject, all first.

    A kind that has no sentence yet is said in the words of its name, with the subject after a colon.
    """
    said = SENTENCES.get(kind) or f"{kind.replace('.', ' ').replace('_', ' ')}: {{}}"
    before, _, after = said.partition("{}")
    return before.strip(), after


def names_subject(kind: str) -> bool:
    """Whether the sentence of `kind` says what it was about."""
    return "{}" in SENTENCES.get(kind, "{}")


def kinds_of(topic: str) -> list[str]:
    """The kinds under a topic."""
    known = TOPICS.get(topic, ())
    named = {beginning for beginnings in TOPICS.values() for beginning in beginnings}
    found = {kind.value: kind.value.partition(".")[0] for kind in EventKind}
    return [kind for kind, beginning in found.items() if beginning in known or (not known and beginning not in named)]
