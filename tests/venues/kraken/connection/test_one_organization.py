"""The wall between two Organizations, in the gateway's tables (security AZ-3), and credentials that are gone (SE-1)."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Account
from portal.core.secrets.sealed_fields import columns
from portal.core.secrets.sealing import seal
from portal.venues.kraken import models
from portal.venues.kraken.models import Alarm, Credential, Purpose, Withdrawal

pytestmark = pytest.mark.django_db


def credential(account: Account | None, organization_id: int, public: str = "public") -> Credential:
    return Credential.objects.create(
        organization_id=organization_id,
        account=account,
        exchange="Kraken",
        purpose=Purpose.REST,
        label="rest",
        public=public,
        sealed_secret=seal(b"secret", place=models.place_of(public)),
        proposed_at=timezone.now(),
    )


def withdrawal(account: Account, sent_with: Credential | None) -> Withdrawal:
    return Withdrawal.objects.create(
        account=account,
        reference="REFERENCE",
        asset="XXBT",
        decimals=10,
        amount_units=2,
        max_fee_units=1,
        fee_units=1,
        held_at=timezone.now(),
        credential=sent_with,
    )


def alarm(account: Account, organization_id: int) -> Alarm:
    return Alarm.objects.create(
        account=account, organization_id=organization_id, kind=Alarm.Kind.LEDGER, raised_at=timezone.now()
    )


ROWS: dict[str, Callable[[Account, Account], object]] = {
    "a credential for another's Account": lambda ours, theirs: credential(theirs, ours.organization_id),
    "a credential moved to another's Account": lambda ours, theirs: Credential.objects.filter(
        pk=credential(None, ours.organization_id).pk
    ).update(account=theirs),
    "an alarm of another's Account": lambda ours, theirs: alarm(theirs, ours.organization_id),
    "a withdrawal with another's credential": lambda ours, theirs: withdrawal(
        ours, credential(theirs, theirs.organization_id)
    ),
    "a withdrawal moved to another's credential": lambda ours, theirs: Withdrawal.objects.filter(
        pk=withdrawal(ours, None).pk
    ).update(credential=credential(theirs, theirs.organization_id)),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_points_next_door_is_refused_by_the_database(world, row):
    theirs = Account.objects.create(organization=world.elsewhere, name="Theirs", created_at=timezone.now())
    with pytest.raises(IntegrityError, match="another Organization"), transaction.atomic():
        row(world.account, theirs)


def test_what_is_of_one_organization_is_written(world):
    ours = credential(world.account, world.organization.pk)
    credential(None, world.organization.pk, public="proposed")
    assert withdrawal(world.account, ours).credential == ours
    assert alarm(world.account, world.organization.pk).pk


def test_a_wiped_secret_is_neither_left_behind_nor_broken_for_a_new_sealing_key(world):
    """Where nothing is sealed, nothing has to be sealed anew, and nothing fails to open."""
    [column] = [each for each in columns() if each.model is Credential]
    gone = credential(None, world.organization.pk)
    Credential.objects.filter(pk=gone.pk).update(sealed_secret="", removed_at=timezone.now())
    assert column.left() == 0
    assert list(column.unopened(10)) == []
    assert list(column.reseal(10)) == []
