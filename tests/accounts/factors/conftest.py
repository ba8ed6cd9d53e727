"""What the tests of passkeys share."""

import pytest

from tests.factories.authenticator import SoftPasskey


@pytest.fixture
def passkey(owner):
    """A passkey of the Owner."""
    made = SoftPasskey()
    made.enrolled(owner.user)
    return made
