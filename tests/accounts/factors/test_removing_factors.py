"""Taking factors away that count in two Organizations of one person, which ask for different kinds (DESIGN M4)."""

import pytest

from accounts.authentication import session_data
from accounts.authentication.session_store import SessionStore
from accounts.factors.enrolled import mark_of
from accounts.models import Authenticator, Organization
from accounts.models.organization import SecondFactorLevel
from accounts.organizations.founding import add_member
from accounts.security import factor_changes
from portal.core.errors import Refused
from portal.core.factors import TOTP
from tests.factories.authenticator import SoftPasskey

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys(world, ben):
    """Two passkeys of Ben, which count in Elsewhere as well as here, where nothing but passkeys is taken."""
    there = add_member(world.elsewhere, ben.user, rights=[])
    made = [SoftPasskey().enrolled(ben.user), SoftPasskey().enrolled(ben.user)]
    Authenticator.objects.get(user=ben.user).places.set([ben, there])
    for passkey in made:
        passkey.places.set([ben, there])
    Organization.objects.filter(pk=ben.organization_id).update(second_factor_level=SecondFactorLevel.PASSKEY)
    return there, made


def opened_with_code(member):
    """A session of that Member in which a code of the app was shown, and nothing else."""
    store = SessionStore()
    session_data.start(store, member, factor=TOTP, mark=mark_of(Authenticator.objects.get(user=member.user)))
    return store


def test_a_code_takes_no_passkey_away_where_passkeys_are_asked_for(ben, keys):
    """Whoever has got a code of the app uses it next door, where codes are taken, and removes a passkey.

    It counted here too, and was gone here as well: by the very kind of factor that this Organization does not take.
    """
    there, (one, _) = keys
    factor_changes.remove(one, member=there, store=opened_with_code(there))
    assert list(one.places.all()) == [ben]


def test_nor_from_here(ben, keys):
    """The function asks itself, whoever calls it with a session in which only a code was shown."""
    _, (one, _) = keys
    with pytest.raises(Refused):
        factor_changes.remove(one, member=ben, store=opened_with_code(ben))
    assert one.places.count() == 2
