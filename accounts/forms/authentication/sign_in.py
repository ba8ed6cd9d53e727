"""The two steps of signing in."""

from django import forms

from accounts.authentication.passwords import LONGEST
from portal.core.forms import CodeField, Form, MailField


class PasswordForm(Form):
    """Step 1 of 2."""

    email = MailField(label="Email", widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}))
    password = forms.CharField(
        label="Password",
        max_length=LONGEST,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(Form):
    """Step 2 of 2."""

    code = CodeField(help_text="Six digits from your authenticator app.")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True
