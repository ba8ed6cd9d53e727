"""Forms about the Organization as a whole."""

from typing import Any, cast

from django import forms

from accounts.models import Member, Organization
from accounts.models.organization import MAX_ABSOLUTE_HOURS, MAX_IDLE_MINUTES, MIN_IDLE_MINUTES, SecondFactorLevel
from accounts.organizations.settings import ACCOUNT_NAME_LENGTH, AddAccount, ChangeSecurity
from accounts.organizations.sign_in_rules import Security
from accounts.organizations.transfer_ownership import TransferOwnership
from portal.core.forms import PlainTextField, StepUpForm


class SecurityForm(StepUpForm):
    """How members sign in, and how long they stay in."""

    level = forms.ChoiceField(label="Sign-in 2FA level", choices=SecondFactorLevel.choices, widget=forms.RadioSelect)
    idle_minutes = forms.IntegerField(
        label="Ends without activity after, in minutes",
        min_value=MIN_IDLE_MINUTES,
        max_value=MAX_IDLE_MINUTES,
        help_text=f"{MIN_IDLE_MINUTES} to {MAX_IDLE_MINUTES}. Members are warned before.",
    )
    absolute_hours = forms.IntegerField(
        label="Ends in any case after, in hours",
        min_value=1,
        max_value=MAX_ABSOLUTE_HOURS,
        help_text=f"1 to {MAX_ABSOLUTE_HOURS}, counted from signing in.",
    )

    def __init__(self, *args: Any, before: Security, **kwargs: Any) -> None:
        self.before = before
        initial = {
            "level": before.level.value,
            "idle_minutes": before.idle_minutes,
            "absolute_hours": before.absolute_hours,
        }
        super().__init__(*args, initial=initial, **kwargs)

    def params(self) -> ChangeSecurity:
        """What is asked for: the terms as they were shown, and as they shall be."""
        cleaned = self.cleaned_data
        after = Security(SecondFactorLevel(cleaned["level"]), cleaned["idle_minutes"], cleaned["absolute_hours"])
        return ChangeSecurity(before=self.before, after=after)


class AccountForm(StepUpForm):
    """A new Account."""

    name = PlainTextField(
        label="Name",
        max_length=ACCOUNT_NAME_LENGTH,
        help_text="Shown on every withdrawal and every right that names it.",
    )

    def params(self) -> AddAccount:
        """What is asked for: an Account of that name, on the venue there is."""
        return AddAccount(name=self.cleaned_data["name"])


class TransferForm(StepUpForm):
    """Who shall be the Owner."""

    member = forms.ModelChoiceField(Member.objects.none(), label="New Owner", empty_label=None)

    def __init__(self, *args: Any, organization: Organization, owner: Member, asker: Member, **kwargs: Any) -> None:
        self.owner = owner
        super().__init__(*args, **kwargs)
        others = Member.objects.active().of(organization).exclude(user_id__in=[owner.user_id, asker.user_id])
        field = cast("forms.ModelChoiceField[Member]", self.fields["member"])
        field.queryset = others.select_related("user").order_by("user__name", "pk")

    def params(self) -> TransferOwnership:
        """What is asked for: the new Owner, and who was the Owner when the page was shown."""
        return TransferOwnership(member_id=self.cleaned_data["member"].pk, owner_id=self.owner.pk)
