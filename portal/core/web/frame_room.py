"""Room for the frames of a page, so that no call within it stands at the edge of what Python keeps frames in."""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

P = ParamSpec("P")
R = TypeVar("R")

# Somewhat more than 256 KB, in words of a 64-bit machine: what is asked for is rounded up to the next power of two, so
# nearly as much is left. A page takes some 40 KB of it.
WORDS: Final = 33_000


def with_room(function: Callable[P, R]) -> Callable[P, R]:
    """The same, called with room for whatever it calls in turn.

    Python keeps the frames of a thread in pieces of 16 KB. The call that does not fit any more takes a new piece from
    the system, and gives it back when it returns: where a loop stands at such an edge, each of its calls does that, and
    takes ten times as long. Which loop that is depends on how deep it happens to be called, and so on the server, the
    page and the reader: the same page took twice as long with three frames more above it. A frame that says to need
    more than a piece has is given a larger one, and all that it calls lies in that too.
    """

    def roomy(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    roomy.__code__ = roomy.__code__.replace(co_stacksize=WORDS)
    return wraps(function)(roomy)


class FrameRoomMiddleware:
    """Whatever stands further in has the room, whichever server asks; bots' calls have that of their threads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = with_room(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing is changed on the way."""
        return self.get_response(request)
