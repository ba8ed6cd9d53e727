"""From what was timed to what is stated."""

import pytest

from benchmarks.contest import ratios
from benchmarks.contest.readings import Reading
from benchmarks.load.generator import Slice
from benchmarks.report import page
from benchmarks.report.table import Table


def reading(calls, seconds=1.0, took=(0.001,), server=0.5, database=0.25):
    return Reading(Slice(calls, seconds, tuple(took), late=0), server, database)


def test_a_ratio_is_of_the_same_round_and_the_median_of_all():
    """A machine that was slow for one round was slow for both."""
    ours = [reading(200), reading(20), reading(330)]
    theirs = [reading(100), reading(10), reading(100)]
    found = ratios.ratio(ratios.rate, "ours", ours, "theirs", theirs)
    assert (found.lowest, found.median, found.highest) == (2.0, 2.0, 3.3)
    assert str(found) == " 2.00  (2.00 to 3.30)  ours : theirs"


def test_rounds_that_one_side_missed_are_no_ratio():
    with pytest.raises(ValueError, match="shorter"):
        ratios.ratio(ratios.rate, "ours", [reading(1), reading(1)], "theirs", [reading(1)])


def test_what_a_call_costs_is_what_server_and_database_worked_for_it():
    one = reading(500, server=0.4, database=0.1)
    assert ratios.cost(one) == pytest.approx(0.001)
    assert ratios.thrift(one) == pytest.approx(1000)
    assert ratios.rate(reading(500, seconds=2.0)) == 250


@pytest.mark.parametrize(("share", "found"), [(0.5, 0.051), (0.95, 0.096), (0.99, 0.1), (0.0, 0.001)])
def test_a_quantile_is_the_time_of_a_call_that_there_was(share, found):
    took = [number / 1000 for number in range(1, 101)]
    assert ratios.quantile(share)(reading(100, took=took)) == found


def test_a_table_says_the_same_on_the_screen_and_in_a_document():
    table = Table("name", "What it is", ["", "ratio"], [["a", "1.00"], ["longer", "2.00"]], note="A word.")
    assert table.on_screen() == "What it is.\nA word.\n          ratio\n  a       1.00\n  longer  2.00\n"
    assert table.in_markdown() == (
        "**What it is.** A word.\n\n|  | ratio |\n|---|---|\n| a | 1.00 |\n| longer | 2.00 |\n"
    )


def test_figures_stand_between_their_marks_and_words_around_them_stay():
    marks = "<!-- measured: {} -->\n{}<!-- /measured -->\n"
    text = f"Before.\n{marks.format('two', '')}Between.\n{marks.format('one', 'old' + chr(10))}"
    once = page.filled(text, {"one": "| 1 |\n", "two": "| 2 |\n"})
    assert once.splitlines() == [
        "Before.", "<!-- measured: two -->", "", "| 2 |", "", "<!-- /measured -->", "Between.",
        "<!-- measured: one -->", "", "| 1 |", "", "<!-- /measured -->",
    ]  # fmt: skip
    assert page.filled(once, {"one": "| 1 |\n", "two": "| 2 |\n"}) == once


def test_a_mark_that_nothing_was_measured_for_is_a_mistake():
    with pytest.raises(KeyError):
        page.filled("<!-- measured: three -->\n<!-- /measured -->\n", {"one": "1"})
