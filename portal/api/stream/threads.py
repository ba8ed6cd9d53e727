"""Where sockets wait for the database: a few threads, each with a connection of its own, never the event loop."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")

COUNT: Final = settings.STREAM_THREADS
_threads: Final = ThreadPoolExecutor(COUNT, thread_name_prefix="stream")


async def run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` answers, done in one of the threads; a connection that has failed is replaced first."""
    context = contextvars.copy_context()
    done = partial(context.run, _fresh, partial(work, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_threads, done)


def _fresh(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()
