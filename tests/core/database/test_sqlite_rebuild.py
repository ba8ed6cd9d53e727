"""A migration that makes a table anew on SQLite leaves every trigger in force, which is what holds the rules."""

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, OperationalError, connections, migrations, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ProjectState
from django.db.utils import ConnectionHandler

from portal.core.database.sqlite_rebuild import KeepsTriggers

STAYS = """
    CREATE TRIGGER tried_coin_stays BEFORE DELETE ON tried_coin
    BEGIN SELECT RAISE(ABORT, '{said}'); END
"""
# On another table, and speaks of the one that is made anew.
KNOWN = """
    CREATE TRIGGER tried_hand_known BEFORE INSERT ON tried_hand
    WHEN NOT EXISTS (SELECT 1 FROM tried_coin WHERE name = NEW.holds)
    BEGIN SELECT RAISE(ABORT, 'there is no such coin'); END
"""


class Begins(migrations.Migration):
    operations = [
        migrations.CreateModel("Coin", [("id", models.AutoField(primary_key=True)), ("name", models.TextField())]),
        migrations.CreateModel("Hand", [("id", models.AutoField(primary_key=True)), ("holds", models.TextField())]),
        migrations.RunSQL(STAYS.format(said="a coin is never removed")),
        migrations.RunSQL(KNOWN),
    ]


MAKES_ANEW = migrations.AlterField("Coin", "name", models.CharField(max_length=9, null=True))


class Careless(migrations.Migration):
    operations = [MAKES_ANEW]


class Careful(KeepsTriggers):
    operations = [MAKES_ANEW]


class SaysItAnew(KeepsTriggers):
    operations = [MAKES_ANEW, migrations.RunSQL(STAYS.format(said="not even now"))]


class Breaks(KeepsTriggers):
    operations = [MAKES_ANEW, migrations.RunSQL("SELECT * FROM nowhere")]


class Tried:
    """A database of its own with two tables, a trigger on each, and one coin."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.state = ProjectState()
        self.migrate(Begins)
        self.write("INSERT INTO tried_coin (name) VALUES ('penny')")

    def migrate(self, made: type[migrations.Migration]) -> None:
        state = self.state.clone()
        with self.connection.schema_editor(atomic=True) as editor:
            self.state = made("0001", "tried").apply(state, editor)

    def back(self, made: type[migrations.Migration], to: ProjectState) -> None:
        with self.connection.schema_editor(atomic=True) as editor:
            made("0001", "tried").unapply(to.clone(), editor)
        self.state = to

    def write(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def triggers(self) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
            return [name for (name,) in cursor.fetchall()]

    def takes_null(self) -> bool:
        """Whether the table is the one that the migration makes."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT \"notnull\" FROM pragma_table_info('tried_coin') WHERE name = 'name'")
            (is_required,) = cursor.fetchone()
            return not is_required


@pytest.fixture
def tried(tmp_path, django_db_blocker) -> Iterator[Tried]:
    with django_db_blocker.unblock():
        engine = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "tried.sqlite3")}
        connection = ConnectionHandler({"default": {}, "tried": engine})["tried"]
        # The transaction of a migration asks for its connection by name.
        connections["tried"] = connection
        yield Tried(connection)
        connection.close()
        del connections["tried"]


def holds_its_rules(tried: Tried, said: str = "a coin is never removed") -> bool:
    with pytest.raises(IntegrityError, match=said):
        tried.write("DELETE FROM tried_coin")
    with pytest.raises(IntegrityError, match="no such coin"):
        tried.write("INSERT INTO tried_hand (holds) VALUES ('button')")
    tried.write("INSERT INTO tried_hand (holds) VALUES ('penny')")
    return tried.triggers() == ["tried_coin_stays", "tried_hand_known"]


def test_without_it_sqlite_refuses(tried):
    """Why it is there: if this fails, SQLite or Django has learnt to keep triggers, and it may go."""
    with pytest.raises(OperationalError, match="no such table"):
        tried.migrate(Careless)


def test_a_table_that_is_made_anew_keeps_its_triggers_and_those_that_speak_of_it(tried):
    before = tried.state
    assert holds_its_rules(tried)
    tried.migrate(Careful)
    assert tried.takes_null()
    assert holds_its_rules(tried)
    tried.back(Careful, before)
    assert not tried.takes_null()
    assert holds_its_rules(tried)


def test_a_trigger_that_the_migration_makes_anew_is_the_new_one(tried):
    tried.migrate(SaysItAnew)
    assert holds_its_rules(tried, said="not even now")


def test_a_migration_that_breaks_off_leaves_table_and_triggers_as_they_were(tried):
    with pytest.raises(OperationalError, match="nowhere"):
        tried.migrate(Breaks)
    assert not tried.takes_null()
    assert holds_its_rules(tried)
