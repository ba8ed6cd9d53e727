"""Who connects an Account to an exchange is one of the cast, which stands here other than in the folders above."""

import pytest


@pytest.fixture(autouse=True)
def _empty_ground():
    """In place of the one that clears the ground."""
