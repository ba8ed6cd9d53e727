"""Who: organizations and their accounts, people, bots and their keys."""

from accounts.models.account import Account
from accounts.models.api_key import ApiKey, Custodian
from accounts.models.member import Member
from accounts.models.organization import Organization
from accounts.models.second_factor import Authenticator
from accounts.models.service_user import ServiceUser
from accounts.models.user import User

__all__ = ["Account", "ApiKey", "Authenticator", "Custodian", "Member", "Organization", "ServiceUser", "User"]
