"""A new password, typed twice; and asking for a link to set one."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.authentication import passwords
from accounts.authentication.passwords import LONGEST
from accounts.models import User
from portal.core.forms import Form, MailField, StepUpForm

DIFFERS = "The two are not the same. Type it once more."


def password_field(label: str, *, autocomplete: str = "new-password", help_text: str = "") -> forms.CharField:
    """An input for a password: nothing is trimmed, pasting works, and it is never sent back to the page."""
    return forms.CharField(
        label=label,
        max_length=LONGEST,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


class NewPassword(forms.Form):
    """Two fields and the rules. `for_user` says whose password it is, and what they are about to join."""

    password = password_field("New password")
    again = password_field("New password again")

    def for_user(self, user: User, *organizations: str) -> None:
        """Say whose password it will be; `organizations` are names of those they are about to join."""
        self.user, self.organizations = user, organizations
        self.fields["password"].help_text = passwords.rules()

    def clean(self) -> dict[str, Any]:
        """Check across both fields: that they agree, and that the rules take the password for this person."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        password = cleaned.get("password")
        if password is None or "again" not in cleaned:
            return cleaned
        if password != cleaned["again"]:
            self.add_error("again", DIFFERS)
            return cleaned
        try:
            passwords.check(password, self.user, organizations=self.organizations)
        except ValidationError as error:
            self.add_error("password", error)
        return cleaned


class ResetForm(NewPassword, Form):
    """A new password for who came by a link."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.for_user(user)


class ChangePasswordForm(NewPassword, StepUpForm):
    """A new password for who is in; it takes the present one, and a second factor."""

    enter_sends = True
    current = password_field("Present password", autocomplete="current-password")
    field_order = ("current", "password", "again")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.for_user(user)


class ForgottenForm(Form):
    """Where the link shall go."""

    email = MailField(label="Email", widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}))


class EnrolLinkForm(Form):
    """The password beside the link: neither is enough alone."""

    password = password_field("Password", autocomplete="current-password")
