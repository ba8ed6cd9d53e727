"""One who is invited, the mail that reaches them, and what they do with its link."""

import re

import pytest

from accounts.members.invite_member import InviteMember, invite_member
from policies.changes import propose

NEW = "three lanterns under the bridge"
NORA = "nora@new.test"
RIGHTS = (("manage_access", "view", None), ("initiate_withdrawal", "initiate", None))
ACCEPT = "/invitations/accept/"
FORM = {"name": "Nora Falk", "email": NORA, "rights": ["manage_access:view", "initiate_withdrawal:initiate"]}


def invited(owner, email=NORA, rights=RIGHTS, name="Nora Falk"):
    return propose(invite_member, actor=owner, params=InviteMember(email=email, name=name, rights=rights))


def link_of(sent):
    (path,) = re.findall(r"http://localhost:8000(/invitations/\S+)", sent.body)
    return path


@pytest.fixture
def mailed(mailed):
    """Without the mail to all who look at Manage Access that somebody was invited by one alone."""
    return lambda act: [message for message in mailed(act) if "did this alone" not in message.subject]


@pytest.fixture
def link(owner, mailed):
    """The path in the mail to Nora."""
    (sent,) = mailed(lambda: invited(owner))
    assert sent.to == [NORA]
    return link_of(sent)


def accepted(client, link, **fields):
    client.get(link)
    return client.post(ACCEPT, {"name": "Nora Falk", "password": NEW, "again": NEW, **fields})
