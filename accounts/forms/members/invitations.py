"""Inviting somebody, and accepting."""

from typing import Any

from django import forms

from accounts.forms.authentication.passwords import NewPassword, password_field
from accounts.forms.members.rights import Line, RightsField, matrix
from accounts.members.invite_member import InviteMember
from accounts.members.presets import PRESETS, Preset
from accounts.models import Invitation, Organization, User
from portal.core.forms import Form, MailField, PlainTextField, StepUpForm


class InviteForm(StepUpForm):
    """Whom, and with which rights; `preset` only fills it in."""

    name = PlainTextField(label="Name", max_length=80, help_text="As approvers know them. They can correct it later.")
    email = MailField(label="Email", help_text="The link is sent here, and works for no one else.")
    rights = RightsField()

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rights = self.fields["rights"]
        if isinstance(rights, RightsField):
            rights.offer(organization)

    def lines(self) -> list[Line]:
        """The matrix of rights for the page."""
        return list(matrix(self["rights"]))

    def presets(self) -> tuple[Preset, ...]:
        """The sets of rights that buttons fill in."""
        return PRESETS

    def clean_email(self) -> str:
        """The address as it is stored: in lower case, so that one person is not invited twice."""
        return str(self.cleaned_data["email"]).strip().lower()

    def params(self) -> InviteMember:
        """What is asked for: whom to invite, under which name, with which rights."""
        cleaned = self.cleaned_data
        return InviteMember(
            email=cleaned["email"], name=cleaned["name"], rights=tuple(one.written for one in cleaned["rights"])
        )


class AcceptForm(NewPassword, Form):
    """A name and a password, for who has none here yet."""

    name = PlainTextField(label="Your name", max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = password_field("Password")
    again = password_field("Password again")
    field_order = ("name", "password", "again")

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, initial={"name": invitation.name}, **kwargs)
        self.for_user(User(email=invitation.email, name=invitation.name), invitation.organization.name)

    def clean_name(self) -> str:
        """The name; the rules of the password hear of it too."""
        # The password must not hold the name they go by, either.
        self.user.name = self.cleaned_data["name"]
        return self.user.name
