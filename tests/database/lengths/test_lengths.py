"""No value of ours is longer than its column: every column of text says what bounds it (fault operations-F1)."""

from collections.abc import Iterable

import pytest
from django.apps import apps
from django.db import DataError, models, transaction
from django.urls import reverse

from accounts.models import KeyUse, RefusedCall, Session
from portal.audit import record as recording
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core import actors, call_origin
from tests.database.lengths.bounds import ADDRESS, BOUNDS, OURS


def columns() -> dict[str, models.CharField]:  # type: ignore[type-arg]
    """Every column of ours that PostgreSQL bounds, by model and name."""
    return {
        f"{model._meta.label}.{field.name}": field
        for label in OURS
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, models.CharField)
    }


def longest(bound: int | Iterable[str]) -> int:
    return bound if isinstance(bound, int) else max(len(value) for value in bound)


@pytest.mark.parametrize("name", columns())
def test_what_is_written_fits_its_column(name):
    """fault operations-F1, fault security-H4: also on SQLite, which looks at no length."""
    field = columns()[name]
    assert field.max_length is not None
    if field.choices:
        assert max(len(str(value)) for value, _ in field.flatchoices) <= field.max_length
    else:
        assert name in BOUNDS, "says nowhere what bounds it"
        assert longest(BOUNDS[name]) <= field.max_length


def test_the_list_names_only_columns_there_are():
    assert set(BOUNDS) <= set(columns())


@pytest.mark.django_db
def test_what_strangers_and_clients_choose_is_cut(client, ana, sign_in_by_code):
    """fault operations-F1: the label of an actor, the browser's name."""
    with call_origin.origin(source=ADDRESS, via="v" * 40):
        recording.record(EventKind.CSRF_REFUSED, actor=actors.stranger("x" * 5000), outcome="refused", path="p" * 5000)
    assert len(AuditEvent.objects.order_by("-pk")[0].actor_label) == recording.LABEL_LENGTH
    client.defaults["HTTP_USER_AGENT"] = "u" * 5000
    sign_in_by_code(client, ana)
    client.get(reverse("policies:inbox"))
    assert {len(row.agent) for row in Session.objects.filter(user=ana.user)} == {200}


@pytest.mark.django_db
def test_a_column_that_is_too_short_is_seen_on_sqlite_too(trading_bot):
    with pytest.raises(DataError), transaction.atomic():
        RefusedCall.objects.filter(api_key=trading_bot.key).update(method="m" * 41)
    with pytest.raises(DataError), transaction.atomic():
        KeyUse.objects.bulk_create(
            [KeyUse(api_key=trading_bot.key, day="2026-01-01", kind="k" * 121, refused=True, calls=1)]
        )
