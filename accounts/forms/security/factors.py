"""What people type about their second factors."""

from typing import Any, Final

from django import forms

from portal.core.forms import CodeField, Form, PlainTextField, StepUpForm

NAME_LENGTH: Final = 40
LONGEST_ANSWER: Final = 16_384


def answer_field() -> forms.CharField:
    """What the browser brings from the passkey, as JSON; a script fills it in."""
    widget = forms.HiddenInput(attrs={"data-passkey-answer": "", "autocomplete": "off"})
    return forms.CharField(max_length=LONGEST_ANSWER, widget=widget)


class RecoveryCodeForm(Form):
    """Step 2 of 2 for who has no factor at hand."""

    code = forms.CharField(
        label="Recovery code",
        max_length=80,
        help_text="One of the ten you were shown; 24 letters and digits. It works once.",
        widget=forms.TextInput(
            attrs={"class": "input input--mono", "autocomplete": "off", "autofocus": True, "spellcheck": "false"}
        ),
    )


class PasskeySignInForm(Form):
    """Signing in with a passkey alone, or as the second step."""

    assertion = answer_field()


class NewPasskeyForm(Form):
    """A passkey that the browser has just made."""

    name = PlainTextField(
        label="Name", max_length=NAME_LENGTH, help_text="So that you know it again, such as the device it is on."
    )
    answer = answer_field()


class KnownPasskeyForm(Form):
    """A passkey that they hold already, shown so that it counts in one more Organization."""

    answer = answer_field()


class NewAppForm(Form):
    """The first code of a seed that was just shown; only then it counts."""

    name = PlainTextField(label="Name", max_length=NAME_LENGTH, initial="Authenticator app")
    code = CodeField(help_text="The six digits that the app shows for this portal now.")


class RenameForm(Form):
    """Another name for a factor; nobody but its owner sees it."""

    name = PlainTextField(label="Name", max_length=NAME_LENGTH)


class ConfirmForm(StepUpForm):
    """An act that needs nothing but the second factor."""


class ProveForm(StepUpForm):
    """Showing a factor, whether or not one was shown just now."""

    always_asks = True
    enter_sends = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "code" in self.fields:
            self.fields["code"].widget.attrs["autofocus"] = True
