"""Tables that a spreadsheet opens: numbers add up, and nothing runs (security IN-4)."""

import pytest

from portal.core.display.csv_export import cell


@pytest.mark.parametrize("number", ["-1", "-0.5", "-62072.9000000000", "-0", "12", "0.1"])
def test_numbers_below_zero_stay_numbers(number):
    """fault bots-sheets: an apostrophe made every negative amount a text that no column adds up."""
    assert cell(number) == number


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1+1", "-A1", "-", "--1", "-1.", "-.5", "-1 ", "-1\n=2", "-1e5", "-٣", "@x", "\tx", "\rx",
     "-2+3+cmd|' /C calc'!A0"],
)  # fmt: skip
def test_what_a_spreadsheet_might_run_is_text(text):
    assert cell(text) == f"'{text}"
