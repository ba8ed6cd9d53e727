"""What signing in costs beyond the digest of the password, which is meant to be dear."""

from collections.abc import Iterator

from django.contrib.auth.hashers import check_password
from django.test import Client
from django.urls import reverse

from accounts.authentication import password_step
from benchmarks.ratio import Ratio, compare
from portal.core import call_origin
from tests.factories.world import PASSWORD, World

REPEATS = 8
SOURCE = "198.51.100.7"


def ratios(world: World) -> Iterator[Ratio]:
    """The password step, and the whole request around it, each over one run of Argon2."""
    user = world.members["owner"].user

    def digest() -> None:
        assert check_password(PASSWORD, user.password)

    def step() -> None:
        with call_origin.origin(source=SOURCE):
            assert password_step.check_password(user.email, PASSWORD) == user

    def request() -> None:
        answer = Client().post(reverse("accounts:sign_in"), {"email": user.email, "password": PASSWORD})
        assert answer.status_code == 302, answer.status_code

    yield compare("the password step of signing in", step, "the digest alone", digest, repeats=REPEATS)
    yield compare("the whole request of it", request, "the digest alone", digest, repeats=REPEATS)
