"""One's own name, language and time zone."""

import pytest

from accounts.models import Member, User
from portal.audit.models import AuditEvent
from tests.factories.world import World

pytestmark = pytest.mark.django_db
FORM = {"name": "Ana Ruiz Vega", "time_zone": "Europe/Zurich", "tell": "needed"}


def test_it_is_changed_and_told(client, ana, sign_in):
    sign_in(client, ana)
    assert client.post("/profile/", FORM).url == "/profile/"
    user = User.objects.get(pk=ana.user_id)
    assert (user.name, user.language, user.time_zone) == ("Ana Ruiz Vega", "en", "Europe/Zurich")
    event = AuditEvent.objects.get(kind="profile.changed")
    assert (event.data["before"], event.data["after"]) == ("Ana Ruiz", "Ana Ruiz Vega")


def test_times_are_shown_in_the_chosen_zone(client, ana, sign_in):
    sign_in(client, ana)
    client.post("/profile/", {**FORM, "time_zone": "Pacific/Auckland"})
    text = client.get("/history/").content.decode()
    assert "+13:00" in text or "+12:00" in text


def test_another_name_is_news_wherever_the_person_is_known(client, ana, world: World, sign_in):
    sign_in(client, ana)
    Member.objects.create(organization=world.elsewhere, user=ana.user, joined_at=ana.joined_at)
    client.post("/profile/", FORM)
    told = AuditEvent.objects.filter(kind="profile.changed").values_list("organization_id", flat=True)
    assert set(told) == {world.organization.pk, world.elsewhere.pk}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("name", "Ana\u202eziuR"),
        ("name", "ben adeyemi"),
        ("name", "Ben  Adeyemi"),
        ("time_zone", "Etc/GMT+5"),
        ("time_zone", "../../etc/passwd"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(client, ana, sign_in, field, value):
    """CR-15: nobody may go by the name of somebody who decides with them, or by one that shows as something else."""
    sign_in(client, ana)
    answer = client.post("/profile/", {**FORM, field: value})
    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert User.objects.get(pk=ana.user_id).name == "Ana Ruiz"


def test_nothing_else_can_be_written(client, ana, sign_in):
    """AZ-4: extra fields ignored."""
    sign_in(client, ana)
    client.post("/profile/", {**FORM, "email": "ana@evil.test", "is_active": "", "password": "x"})
    user = User.objects.get(pk=ana.user_id)
    assert (user.email, user.is_active, user.password) == (ana.user.email, True, ana.user.password)


def test_a_stranger_is_led_to_the_sign_in(client, world):
    assert client.get("/profile/").url.startswith("/sign-in/")


def test_a_language_can_be_chosen_where_there_is_a_choice(client, ana, sign_in, settings):
    sign_in(client, ana)
    assert 'name="language"' not in client.get("/profile/").content.decode()
    client.post("/profile/", {**FORM, "language": "de"})
    assert User.objects.get(pk=ana.user_id).language == "en"
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    assert 'name="language"' in client.get("/profile/").content.decode()
    for language in ("de", "xx"):
        client.post("/profile/", {**FORM, "language": language})
        assert User.objects.get(pk=ana.user_id).language == "de"
