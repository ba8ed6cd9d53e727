"""A database behind this release, and one ahead of it."""

import pytest
from django.db import IntegrityError, connection
from django.db.migrations.recorder import MigrationRecorder

from portal.operating.doctor import schema
from portal.operating.doctor.findings import Level
from tests.operating.doctor.said import bad, only

pytestmark = pytest.mark.django_db
Applied = MigrationRecorder.Migration


def test_as_this_release_expects_it():
    assert only(schema.look()).level is Level.OK


def test_behind():
    Applied.objects.filter(app="work").order_by("-pk")[0].delete()
    found = only(schema.look())
    assert (found.level, "1 are missing: work." in found.found) == (Level.WRONG, True)


def test_ahead():
    Applied.objects.create(app="audit", name="9999_later")
    # What is not ours says nothing of our release.
    Applied.objects.create(app="gone", name="0001_initial")
    found = only(schema.look())
    assert found.level is Level.WARN
    assert found.found.endswith("which this node is not: audit.9999_later")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_an_index_that_was_not_finished():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE twice (id int)")
        try:
            cursor.execute("INSERT INTO twice VALUES (1), (1)")
            with pytest.raises(IntegrityError):
                cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY once ON twice (id)")
            found = only(bad(schema.look()))
        finally:
            cursor.execute("DROP TABLE twice")
    assert (found.level, found.found) == (Level.WARN, "indexes that were begun and not finished: once")
