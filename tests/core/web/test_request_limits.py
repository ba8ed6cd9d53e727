"""What a page refuses to read."""

import pytest
from django.conf import settings
from django.urls import reverse

from portal.core.web.request_limits import BodyLimitMiddleware

pytestmark = pytest.mark.django_db
LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


@pytest.fixture
def post(rf):
    """The status of a post whose body fails the test if anything reads it."""

    def read_on(request):
        raise AssertionError("the request was let through")

    def posted(length: str, media_type: str = "application/x-www-form-urlencoded") -> int:
        request = rf.post("/sign-in/")
        request.META |= {"CONTENT_LENGTH": length, "CONTENT_TYPE": media_type}
        return BodyLimitMiddleware(read_on)(request).status_code

    return posted


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_a_body_over_the_limit_is_refused_unread(post, media_type):
    """IN-1: body 256 KiB, each boundary + 1."""
    assert post(str(LIMIT + 1), media_type) == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "9" * 40, "x"])
def test_an_absurd_length_is_refused(post, length):
    assert post(length) == 413


def test_it_stands_before_whatever_reads_a_body():
    names = [path.rpartition(".")[2] for path in settings.MIDDLEWARE]
    assert names.index("BodyLimitMiddleware") < names.index("CsrfViewMiddleware")


def test_a_body_at_the_limit_is_read(client):
    body = "email=" + "a" * (LIMIT - len("email="))
    answer = client.post(reverse("accounts:sign_in"), data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200


def test_files_are_kept_nowhere():
    assert settings.FILE_UPLOAD_HANDLERS == []


@pytest.mark.parametrize("address", ["/requests/a%00b/", "/policies/?who=%00", "/sign-in/?next=/%00"])
def test_an_address_with_a_nul_is_refused(client, address):
    """IN-1: NUL is refused before any database is asked for it."""
    assert client.get(address).status_code == 400


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        ({"path": "/requests/a%00b/"}, 400, "This is no address of this portal."),
        ({"path": "/sign-in/", "CONTENT_LENGTH": str(LIMIT + 1)}, 413, "This is more than a form here can hold."),
    ],
)
def test_what_is_refused_unread_is_answered_by_a_page(client, sent, status, words, django_assert_num_queries):
    """fault pages-C16: a bare line of text, without a way back."""
    with django_assert_num_queries(0):
        answer = client.get(**sent)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    page = answer.content.decode()
    assert words in page
    assert "<h1>That request cannot be read</h1>" in page
    assert f'href="{reverse("dashboard:home")}"' in page
    assert not answer.cookies
