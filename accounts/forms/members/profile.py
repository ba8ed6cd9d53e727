"""What people say about themselves."""

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings

from accounts.members import names
from accounts.models import User
from policies.notifications.preferences import Tell
from portal.core.forms import Form, PlainTextField


@lru_cache(maxsize=1)
def zones() -> tuple[tuple[str, str], ...]:
    """Every place of the time zone database, and UTC; not its abbreviations and offsets."""
    places = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    return (("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in places))


class ProfileForm(Form):
    """Name, language and time zone."""

    name = PlainTextField(
        label="Name",
        max_length=80,
        help_text="Everybody who decides with you sees it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = forms.ChoiceField(label="Language", choices=lambda: settings.LANGUAGES)
    tell = forms.ChoiceField(
        label="Mail about requests",
        choices=Tell.choices,
        widget=forms.RadioSelect,
        help_text="Never about what you did yourself. What concerns the safety of your own access is always mailed.",
    )
    time_zone = forms.ChoiceField(label="Time zone", choices=zones, help_text="All times are shown in it.")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        initial = {"name": user.name, "language": user.language, "time_zone": user.time_zone, "tell": user.tell}
        super().__init__(*args, initial=initial, **kwargs)
        if len(settings.LANGUAGES) < 2:
            # A choice of one is none. The field is there as soon as the portal speaks another language.
            del self.fields["language"]

    def clean_name(self) -> str:
        """The name in one line, without what no name holds."""
        return names.one_line(str(self.cleaned_data["name"]))
