"""Everything that an operator is told to do, done on one installation, as `make rehearsal` does it."""

import pytest

from tests.machines.rehearsal import run

pytestmark = pytest.mark.drill


def test_one_installation_goes_through_all_that_the_runbooks_say(tmp_path, capsys):
    with capsys.disabled():
        run.everything(tmp_path, tmp_path / "pictures")
