"""Keys that are weak, wrong, or missing; and what is left under old ones."""

import pytest

from portal.core.models import SealingCanary
from portal.core.secrets import canary, sealing
from portal.operating.doctor import sealing_keys
from portal.operating.doctor.findings import Level
from tests.core.secrets.conftest import drawn, with_keys
from tests.operating.doctor.said import bad, only

__all__ = ["with_keys"]
WEAK = "A" * 43


@pytest.fixture
def first(world, settings) -> str:
    """The key that has sealed the cast, with its sample."""
    # Tests are sealed under the key for trying out.
    settings.DEBUG = True
    assert canary.wrong_keys() == []
    return str(settings.SEALING_KEYS)


def test_all_is_well_and_nothing_is_written(first):
    before = list(SealingCanary.objects.values())
    found = only(sealing_keys.look())
    assert found.level is Level.OK
    assert found.found.startswith(f"{sealing.sealing_key()} seals and opens")
    assert list(SealingCanary.objects.values()) == before


def test_a_key_that_was_never_here_leaves_no_sample(first, with_keys):
    with_keys(f"{first},-new:{drawn()}")
    found = only(sealing_keys.look())
    assert (found.level, "new never sealed" in found.found) == (Level.OK, True)
    assert not SealingCanary.objects.filter(key="new").exists()


def test_what_is_left_under_the_old_key_is_counted(first, with_keys):
    with_keys(f"new:{drawn()},{first}")
    found = only(bad(sealing_keys.look()))
    assert found.level is Level.WARN
    assert "rotatesealingkeys" in found.do
    assert int(found.found.split()[0]) > 0


def test_another_key_under_the_same_name(first, with_keys):
    name = sealing.sealing_key()
    with_keys(f"{name}:{drawn()}")
    found = only(bad(sealing_keys.look()))
    assert found.level is Level.WRONG
    assert repr(name) in found.found


def test_a_key_that_is_gone_and_needed(first, with_keys):
    name = sealing.sealing_key()
    with_keys(f"new:{drawn()}")
    found = only(bad(sealing_keys.look()))
    assert found.level is Level.WRONG
    assert f"sealed under {name}," in found.found


@pytest.mark.parametrize(
    ("keys", "words"), [(f"k1:{WEAK}", "not drawn at random"), ("", "is empty"), ("k1:x", "32 bytes")]
)
def test_one_that_is_none(first, with_keys, keys, words):
    with_keys(keys)
    found = bad(sealing_keys.look())
    assert found[0].level is Level.WRONG
    assert words in found[0].found
    assert WEAK not in found[0].found
