"""Who: organizations and their accounts, people, bots and their keys."""

from accounts.models.account import Account
from accounts.models.api_key import ApiKey, Custodian
from accounts.models.attempts import Attempts, KnownSource
from accounts.models.identity_check import IdentityCheck
from accounts.models.invitation import AccessLink, Invitation
from accounts.models.key_use import KeyNotice, KeyUse, RefusedCall
from accounts.models.member import Member
from accounts.models.organization import Organization, OwnershipOffer
from accounts.models.passkey import Passkey, PasskeyAttestation, RecoveryCode
from accounts.models.recovery import Recovery
from accounts.models.second_factor import Authenticator
from accounts.models.security_notice import SecurityNotice
from accounts.models.service_user import ServiceUser
from accounts.models.session import Session
from accounts.models.streaming.stream_socket import StreamSocket
from accounts.models.streaming.stream_token import StreamToken
from accounts.models.user import User

__all__ = [
    "AccessLink",
    "Account",
    "ApiKey",
    "Attempts",
    "Authenticator",
    "Custodian",
    "IdentityCheck",
    "Invitation",
    "KeyNotice",
    "KeyUse",
    "KnownSource",
    "Member",
    "Organization",
    "OwnershipOffer",
    "Passkey",
    "PasskeyAttestation",
    "Recovery",
    "RecoveryCode",
    "RefusedCall",
    "SecurityNotice",
    "ServiceUser",
    "Session",
    "StreamSocket",
    "StreamToken",
    "User",
]
