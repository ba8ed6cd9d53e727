"""Changes of access by which one person could undo a lock, as somebody would ask for them."""

from dataclasses import replace

from accounts import grants
from accounts.members.change_rights import ChangeRights
from accounts.members.invite_member import InviteMember
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import ChangeServiceUser, CreateServiceUser, RotateKey
from policies.workflows import Workflow

ACCESS, POLICIES, ADDRESSES, WITHDRAWAL = Workflow
ALL = tuple((given.workflow.value, given.right.value, None) for given in grants.everything())


def invite(rights=ALL) -> InviteMember:
    return InviteMember(email="accomplice@demo.test", name="Accomplice", rights=rights)


def rights_of(member, *after) -> ChangeRights:
    return ChangeRights(member.pk, grants.of(member), grants.ordered(after))


def rotation(bot) -> RotateKey:
    limits = limits_of(bot.service_user)
    return RotateKey(
        bot.service_user.pk, bot.service_user.account_id, limits, (bot.key.short,), 48, None, acknowledged=True
    )


def bot_of(account, permissions) -> CreateServiceUser:
    return CreateServiceUser("new-bot", account.pk, permissions, None, None, None, False, 0, (), acknowledged=True)


def widened(bot, **after) -> ChangeServiceUser:
    before = limits_of(bot.service_user)
    service_user = bot.service_user
    return ChangeServiceUser(service_user.pk, service_user.account_id, before, replace(before, **after), True)
