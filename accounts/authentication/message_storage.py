"""Where the words for the next page are kept: with the session of who has one, else with the browser.

A stranger who is told something must not thereby fill a row of the database.
"""

from typing import Any

from django.conf import settings
from django.contrib.messages.storage.base import BaseStorage, Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class _Cookie(CookieStorage):
    """Django's signed cookie, by a name that binds it to this host (security WB-4)."""

    cookie_name = "__Host-messages" if settings.SECURE else "messages"


class Storage(BaseStorage):
    """Reads what either holds, and writes to the one that fits."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.kept: tuple[Any, Any] = (SessionStorage(request), _Cookie(request))
        self.held: set[Any] = set()

    def _get(self, *args: Any, **kwargs: Any) -> tuple[list[Message], bool]:
        found: list[Message] = []
        for storage in self.kept:
            messages, _ = storage._get()  # noqa: SLF001 - as Django's own FallbackStorage does
            if messages:
                self.held.add(storage)
                found += messages
        return found, True

    def _store(self, messages: list[Message], response: HttpResponseBase, *args: Any, **kwargs: Any) -> list[Message]:
        in_session, in_cookie = self.kept
        fits, other = (in_cookie, in_session) if self.request.session.is_empty() else (in_session, in_cookie)
        unstored = fits._store(messages, response) if messages or fits in self.held else []  # noqa: SLF001
        if other in self.held:
            other._store([], response)  # noqa: SLF001
        return unstored
