"""Which answers count as those of a fault, and which of calm."""

import pytest

from tests.chaos.checking.figures import Happened, table
from tests.chaos.players.record import Asked, Outcome


def _asked(began, seconds, outcome=Outcome.DONE, words="", what="Balance"):
    return Asked("Desk 1", what, {}, began, began + seconds, outcome, words)


FAULT = Happened("a fault", "node1", calm_from=100, began=110, ended=120, mended=130)
CALM = [_asked(100 + place / 5, 0.01) for place in range(40)]
SHAKEN = [_asked(110 + place / 2, 0.05) for place in range(40)]


def test_an_answer_counts_where_it_was_waited_for():
    found = table([*CALM, *SHAKEN, _asked(109.9, 3), _asked(131, 9), _asked(115, 9, what="page")], [FAULT])
    row = found.rows["a fault"]
    assert sorted(row.seconds) == pytest.approx([0.05] * 40 + [3])
    assert found.calm == row.calm == pytest.approx([0.01] * 40)
    assert row.recovery == [10]


def test_what_was_not_answered_is_counted_by_what_stood_in_the_way():
    refused = _asked(112, 0.1, Outcome.REFUSED, "EOrder:Unknown order")
    found = table([*CALM, refused, *(_asked(113, 20, Outcome.UNKNOWN, "ReadTimeout") for _ in range(2))], [FAULT])
    assert found.rows["a fault"].errors == {"ReadTimeout": 2}


def test_a_flood_beyond_its_goal_is_called_so():
    flood = Happened("sign-in flood", "", calm_from=100, began=110, ended=120, mended=130)
    (line,) = table([*CALM, *SHAKEN], [flood]).floods()
    assert "p50 5.00 times calm (goal 3)" in line
    assert "BEYOND" in line
    (line,) = table([*CALM, *(_asked(110 + place / 2, 0.02) for place in range(40))], [flood]).floods()
    assert "within the goal" in line
