"""What every form here shares: the look of its fields, clean text, errors of the domain, and the step-up."""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html

from portal.core.display import markup
from portal.core.errors import DomainError, Invalid
from portal.core.factors import PASSKEY, TOTP
from portal.core.web.http import Proof, StepUp

UNDRESSED = (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect, forms.HiddenInput)
CODE = re.compile(r"[0-9]{6}", re.ASCII)
LONGEST_ANSWER = 16_384
BY_ENTER = "by_enter"
NOTHING_BY_ENTER = "Nothing was done: the Enter key alone decides nothing. Press the button that says what you want."
MAIL_LENGTH = 254
NOT_A_CODE = "Write the six digits that your authenticator app shows."


class PlainTextField(forms.CharField):
    """Text as it will be shown: NFC, without letters that show nothing or turn the direction (IN-1, CR-15).

    `lines=True` allows line breaks and shows a larger box.
    """

    def __init__(self, *, max_length: int, lines: bool = False, **kwargs: Any) -> None:
        self.lines = lines
        if lines:
            kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 2}))
        super().__init__(max_length=max_length, **kwargs)

    def to_python(self, value: object) -> str:
        """One spelling of each letter, and one kind of line end."""
        text = unicodedata.normalize("NFC", super().to_python(value) or "")
        return text.replace("\r\n", "\n").replace("\r", "\n") if self.lines else text

    def validate(self, value: str) -> None:
        """Raises: ValidationError also for letters that nobody sees."""
        super().validate(value)
        if any(markup.is_unseen(letter) and not (self.lines and letter == "\n") for letter in value):
            raise ValidationError("Remove the invisible characters, and type it by hand if you copied it.")


class MailField(forms.EmailField):
    """A mail address, of ASCII letters alone: Django's own check also takes letters that only look like some.

    The long s and the Kelvin sign become `s` and `k` in a host name: another address than the one that was read.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAIL_LENGTH, **kwargs)

    def run_validators(self, value: str) -> None:
        """Ours first, since Django's own lets such letters pass."""
        refuse_foreign_letters(value)
        super().run_validators(value)


def refuse_foreign_letters(address: str) -> None:
    """Raises: ValidationError if a mail address holds letters beyond ASCII."""
    if not address.isascii():
        raise ValidationError("Write it with the letters a to z only; a host name with others begins with xn--.")


class CodeField(forms.CharField):
    """A code of an authenticator app: six ASCII digits and nothing else (security F-3)."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "Authentication code")
        kwargs.setdefault("error_messages", {"required": NOT_A_CODE})
        # No maxlength: a pasted "123 456" is refused with the reason, never cut to what fits.
        attributes = {"class": "input input--code", "inputmode": "numeric", "autocomplete": "one-time-code"}
        super().__init__(strip=False, widget=forms.TextInput(attrs=attributes), **kwargs)

    def validate(self, value: str) -> None:
        """Raises: ValidationError for what cannot be a code, before any try is counted."""
        super().validate(value)
        if value and not CODE.fullmatch(value):
            raise ValidationError(NOT_A_CODE)


class Form(forms.Form):
    """A form of ours: every input wears the class of the look, and a DomainError finds its field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    def refuse(self, error: DomainError) -> None:
        """Show `error` beside the field it names, or above the form."""
        self.add_error(error.field if error.field in self.fields else None, error.message)


class StepUpForm(Form):
    """A form whose act needs a second factor (SU-1): it asks for one when none was shown in the last minutes.

    With `change` and `digest` the proof is bound to that Decision, and one is asked for every time (SU-2). A passkey
    is the first offer; its answer comes in the hidden field `assertion`. After `is_valid()`, `proof` is what the
    operation may be given.

    What it does is done by the button that names it, never by Enter in a field: `components/_step_up.html` puts a
    button before all others that a browser presses for Enter, and what that sends is refused with nothing lost.
    """

    BY_ENTER = BY_ENTER
    # Set by a form that asks also when a factor was shown just now.
    always_asks = False
    # Set by a form with one harmless end, such as showing a factor.
    enter_sends = False
    proof: Proof | None

    def __init__(self, *args: Any, step_up: StepUp, change: str = "", digest: str = "", **kwargs: Any) -> None:
        self.step_up = step_up
        self.bound_to = (change, digest)
        self.proof = None if change or self.always_asks else step_up.recent()
        super().__init__(*args, **kwargs)
        if self.proof is None:
            self._ask(step_up.factors())

    @property
    def is_by_enter(self) -> bool:
        """Whether it was sent by Enter in a field and not by a button that says what it does."""
        return self.is_bound and not self.enter_sends and BY_ENTER in self.data

    @property
    def asks_code(self) -> bool:
        """Whether the page still has to show the code field."""
        return "code" in self.fields and self.proof is None

    @property
    def asks_passkey(self) -> bool:
        """Whether the page still has to offer a passkey."""
        return "assertion" in self.fields and self.proof is None

    def full_clean(self) -> None:
        """Check the rest first: a code is spent by looking at it, and must not be lost to a misspelt name."""
        super().full_clean()
        if self.is_by_enter:
            self.add_error(None, NOTHING_BY_ENTER)
        if not self.is_bound or self.errors or not (self.asks_code or self.asks_passkey):
            return
        change, digest = self.bound_to
        answer, code = self.cleaned_data.get("assertion", ""), self.cleaned_data.get("code", "")
        try:
            if answer:
                self.proof = self.step_up.verify_passkey(answer, change=change, digest=digest)
            elif self.asks_code:
                self.proof = self.step_up.verify(code, change=change, digest=digest)
            else:
                raise Invalid("Use your passkey.")
        except Invalid as error:
            self.refuse(Invalid(error.message, field="code" if self.asks_code and not answer else None))

    def _ask(self, factors: frozenset[str]) -> None:
        has_passkey = PASSKEY in factors
        if has_passkey:
            self.fields["assertion"] = forms.CharField(
                required=False,
                max_length=LONGEST_ANSWER,
                # The browser must not bring back an answer of before: it is spent.
                widget=forms.HiddenInput(attrs={"data-passkey-answer": "", "autocomplete": "off"}),
            )
        if TOTP in factors or not has_passkey:
            self.fields["code"] = dress(CodeField(help_text=self._code_help()))
        if has_passkey and "code" in self.fields:
            # One of both is needed. The browser would insist on the code, so only we do, when neither came.
            self.use_required_attribute = False
            self.fields["code"].error_messages["required"] = "Use your passkey, or write the code."
            self.fields["code"].required = not self.data.get(self.add_prefix("assertion"))

    def _code_help(self) -> str:
        only = "For this request only. " if self.bound_to[0] else "From your authenticator app. "
        return format_html("{}{}", only, markup.next_code(timezone.now()))


def dress(field: forms.Field) -> forms.Field:
    """Give the input of `field` the class of the look, unless it already has one."""
    widget = field.widget
    if not isinstance(widget, UNDRESSED):
        widget.attrs.setdefault("class", "input")
    return field
