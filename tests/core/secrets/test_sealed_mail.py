"""Exchanging the sealing keys while mail waits to be sent (security SE-1, SE-4)."""

import pytest
from django.conf import settings as real
from django.core.management import CommandError
from django_tasks_db.models import DBTaskResult

from portal.core.secrets.sealing import seal
from portal.jobs import mail, sealed_mail
from tests.core.secrets.conftest import drawn, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_other_mail(world):
    DBTaskResult.objects.all().delete()


def queue(*subjects: str) -> None:
    for subject in subjects:
        mail.send("key_notice", to=["ana@demo.test"], context={"subject": subject, "short": "Kx4v"})


def swap_the_first_two() -> str:
    """Put what one mail says into the place of another; the name of that place."""
    one, other = DBTaskResult.objects.order_by("enqueued_at")[:2]
    name = one.args_kwargs["args"][0]
    one.args_kwargs = {**one.args_kwargs, "args": [name, *other.args_kwargs["args"][1:]]}
    one.save(update_fields=["args_kwargs"])
    return mail.place_of(name)


def test_mail_that_waits_is_sealed_anew_and_still_goes_out(with_keys, mailoutbox):
    queue("One")
    with_keys(f"next:{drawn()},{real.SEALING_KEYS}")
    assert "mail waiting to be sent: 1 of 1" in run()
    with_keys(real.SEALING_KEYS.split(",")[0])
    mail.settle()
    assert [message.subject for message in mailoutbox] == ["One"]


def test_mail_that_does_not_open_is_named_and_the_rest_goes_out(with_keys, mailoutbox):
    """SE-1: move ciphertext to another row: opening fails. What stays under the old key must not be lost silently."""
    queue("One", "Two", "Three")
    place = swap_the_first_two()
    with_keys(f"next:{drawn()},{real.SEALING_KEYS}")
    with pytest.raises(CommandError, match=f"do not open: .*{place}"):
        run()
    DBTaskResult.objects.filter(args_kwargs__args__0=place.removeprefix("mail:")).delete()
    with_keys(real.SEALING_KEYS.split(",")[0])
    mail.settle()
    assert sorted(message.subject for message in mailoutbox) == ["Three", "Two"]


def test_mail_that_does_not_open_is_named_also_where_the_key_stayed(with_keys):
    """Nothing is to be sealed anew there, and the operator learns of it all the same."""
    queue("One", "Two")
    place = swap_the_first_two()
    with pytest.raises(CommandError, match=f"do not open: .*{place}"):
        run()


def test_mail_that_is_sent_meanwhile_is_left_alone(with_keys, monkeypatch, mailoutbox):
    """A worker may take one while the others are sealed anew: it has gone out, and nothing brings it back."""
    queue("One", "Two")
    with_keys(f"next:{drawn()},{real.SEALING_KEYS}")

    def meanwhile(plain: bytes, *, place: str) -> str:
        mail.settle()
        return seal(plain, place=place)

    monkeypatch.setattr(sealed_mail, "seal", meanwhile)
    told = run()
    assert [message.subject for message in mailoutbox] == ["One", "Two"]
    assert "mail waiting to be sent: 1 of 2" in told
    assert not DBTaskResult.objects.ready().exists()
