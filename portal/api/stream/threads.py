"""Where sockets wait for the database: a few threads, each with a connection of its own, never the event loop."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from django.conf import settings
from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")

COUNT: Final = settings.STREAM_THREADS
# Whatever waits for the lock of an Account holds its thread meanwhile: the other half is for the others.
OF_ACCOUNT: Final = max(COUNT // 2, 1)
_threads: Final = ThreadPoolExecutor(COUNT, thread_name_prefix="stream")
_watch: Final = ThreadPoolExecutor(1, thread_name_prefix="stream-watch")
_news: Final = ThreadPoolExecutor(1, thread_name_prefix="stream-news")
# What everybody may see is asked for by strangers too, and its first look at old prices takes seconds.
OF_PRICES: Final = 2
_prices: Final = ThreadPoolExecutor(OF_PRICES, thread_name_prefix="stream-prices")
# Of each event loop its own: a turn can be waited for in one alone.
_turns: Final = WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[int, asyncio.Semaphore]]()


async def run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` answers, done in one of the threads; a connection that has failed is replaced first."""
    return await _run(_threads, partial(work, *args, **kwargs))


async def run_for(account_id: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what may wait for that Account: so many at a time, and no other Account waits for it."""
    ours = _turns.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    turns = ours.setdefault(account_id, asyncio.Semaphore(OF_ACCOUNT))
    async with turns:
        return await run(work, *args, **kwargs)


async def run_watch(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same in a thread of the watch's own, which stands in no line: a revoked key does not wait for anybody."""
    return await _run(_watch, partial(work, *args, **kwargs))


async def run_news(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same in a thread that reads the journal: who is told something does not wait for all who begin just now."""
    return await _run(_news, partial(work, *args, **kwargs))


async def run_prices(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same in threads that work out public channels: strangers take none from those who show a token."""
    return await _run(_prices, partial(work, *args, **kwargs))


async def _run(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(threads, partial(context.run, _fresh, work))


def _fresh(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()
