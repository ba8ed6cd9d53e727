"""What all forms share."""

import pytest
from django import forms
from django.template import engines
from django.utils import timezone

from portal.core.errors import Conflict, Invalid
from portal.core.forms import CodeField, Form, PlainTextField, StepUpForm
from portal.core.web.http import Proof


class NameForm(Form):
    name = PlainTextField(max_length=10, label="Name", help_text="As approvers see it.")
    note = PlainTextField(max_length=20, required=False, lines=True)


class SteppedForm(StepUpForm):
    name = PlainTextField(max_length=10)


class FakeStepUp:
    """Knows one code and one passkey, and remembers what it was asked."""

    def __init__(self, recent=None, factors=("totp",)):
        self.last = recent
        self.held = frozenset(factors)
        self.asked = []

    def recent(self):
        return self.last

    def factors(self):
        return self.held

    def verify_passkey(self, answer, *, change="", digest=""):
        self.asked.append((answer, change, digest))
        if answer != "signed":
            raise Invalid("This passkey was not accepted.")
        return Proof(factor="passkey", at=timezone.now(), change=change, digest=digest)

    def verify(self, code, *, change="", digest=""):
        self.asked.append((code, change, digest))
        if code != "123456":
            raise Invalid("Not the current code.", field="code")
        return Proof(factor="totp", at=timezone.now(), change=change, digest=digest)


def stepped(data, step_up, **bound):
    return SteppedForm(data, step_up=step_up, **bound)


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\nb", "a\u202eb", "a\u200bb", "a\u2028b", "a" * 11])
def test_a_name_with_unseen_letters_or_too_many_is_refused(text):
    """IN-1: each boundary +1."""
    form = NameForm({"name": text})
    assert not form.is_valid()
    assert list(form.errors) == ["name"]


def test_text_is_kept_in_its_composed_form_and_a_note_may_have_lines():
    """IN-1: Unicode NFC."""
    form = NameForm({"name": "e\u0301", "note": "one\r\ntwo"})
    assert form.is_valid()
    assert form.cleaned_data == {"name": "\u00e9", "note": "one\ntwo"}


@pytest.mark.parametrize(
    "code", ["123_456", " 123456", "123456\n", "12345", "1234567", "\u0661\u0662\u0663\u0664\u0665\u0666"]
)
def test_only_six_ascii_digits_are_a_code(code):
    """F-3: `"123_456"`, `" 123456"`, Arabic digits refused."""
    with pytest.raises(forms.ValidationError):
        CodeField().clean(code)


def test_a_field_links_its_help_and_its_error_to_its_input():
    form = NameForm({"name": "\x1b"})
    html = form["name"].as_field_group()
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'class="input"' in html
    assert "(optional)" not in html
    assert "(optional)" in form["note"].as_field_group()


def test_choices_and_ticks_are_drawn_as_the_look_wants_them():
    class Choosing(Form):
        sure = forms.BooleanField(help_text="Approvers see it.")
        many = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.CheckboxSelectMultiple)
        secret = forms.CharField(widget=forms.HiddenInput)

    form = Choosing({})
    assert 'class="check" for="id_sure"' in form["sure"].as_field_group()
    assert form["many"].as_field_group().count('class="check"') == 2
    assert 'id="id_many_error"' in form["many"].as_field_group()
    assert "<label" not in form["secret"].as_field_group()


def test_an_error_of_the_domain_finds_its_field_or_stands_above():
    form = NameForm({"name": "ok"})
    assert form.is_valid()
    form.refuse(Conflict("Taken.", field="name"))
    form.refuse(Conflict("Too late."))
    form.refuse(Conflict("Elsewhere.", field="amount"))
    assert form.errors["name"] == ["Taken."]
    assert form.non_field_errors() == ["Too late.", "Elsewhere."]


def test_the_summary_links_to_each_wrong_field():
    form = NameForm({"name": ""})
    html = engines["django"].from_string('{% include "components/_errors.html" %}').render({"form": form})
    assert 'role="alert"' in html
    assert 'href="#id_name"' in html


def test_a_recent_second_factor_is_enough():
    """SU-1: the sign-in itself or one step-up serves for five minutes."""
    proof = Proof(factor="totp", at=timezone.now())
    form = stepped({"name": "x"}, FakeStepUp(recent=proof))
    assert "code" not in form.fields
    assert form.is_valid()
    assert form.proof is proof


def test_without_a_recent_one_the_code_is_asked_for_and_checked():
    form = stepped({"name": "x", "code": "123456"}, step_up := FakeStepUp())
    assert form.asks_code
    assert form.is_valid()
    assert form.proof is not None
    assert not form.asks_code
    assert step_up.asked == [("123456", "", "")]


def test_a_wrong_code_is_said_beside_its_field():
    form = stepped({"name": "x", "code": "000000"}, FakeStepUp())
    assert not form.is_valid()
    assert form.errors["code"] == ["Not the current code."]


def test_a_code_is_not_spent_while_something_else_is_wrong():
    form = stepped({"name": "", "code": "123456"}, step_up := FakeStepUp())
    assert not form.is_valid()
    assert step_up.asked == []


def test_a_decision_about_money_always_asks_and_binds_the_proof():
    """SU-2: the proof is bound to that ChangeRequest and its digest."""
    recent = Proof(factor="totp", at=timezone.now())
    form = stepped({"name": "x", "code": "123456"}, FakeStepUp(recent), change="REQ", digest="d" * 64)
    assert form.is_valid()
    assert (form.proof.change, form.proof.digest) == ("REQ", "d" * 64)


def test_the_code_field_counts_down_to_the_next_code():
    html = stepped(None, FakeStepUp())["code"].as_field_group()
    assert "data-next-code=" in html
    assert 'autocomplete="one-time-code"' in html


def test_a_passkey_is_the_first_offer_and_the_code_the_second():
    """F-12: where the person holds both."""
    form = stepped(None, FakeStepUp(factors=("totp", "passkey")))
    html = engines["django"].from_string('{% include "components/_step_up.html" %}').render({"form": form})
    assert html.index("Use passkey") < html.index("Authentication code")
    assert stepped(None, FakeStepUp(factors=("passkey",))).asks_code is False


def test_a_passkey_serves_in_place_of_a_code():
    form = stepped({"name": "x", "assertion": "signed"}, step_up := FakeStepUp(factors=("totp", "passkey")))
    assert form.is_valid()
    assert form.proof.factor == "passkey"
    assert step_up.asked == [("signed", "", "")]


def test_a_refused_passkey_is_said_above_the_form():
    form = stepped({"name": "x", "assertion": "forged"}, FakeStepUp(factors=("passkey",)))
    assert not form.is_valid()
    assert form.non_field_errors() == ["This passkey was not accepted."]


def test_one_of_both_has_to_be_shown():
    form = stepped({"name": "x"}, step_up := FakeStepUp(factors=("totp", "passkey")))
    assert not form.is_valid()
    assert list(form.errors) == ["code"]
    assert step_up.asked == []
