"""How a process loads: none of it is garbage, so nobody looks for any until it is there."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.conf import settings
from django.utils.module_loading import autodiscover_modules


@contextmanager
def loading() -> Iterator[None]:
    """Have the collector stand still, and from then on leave alone what is there: it stays to the end of the process.

    To go through it again and again was a seventh of what a start took, and to take it apart at the end a quarter.
    Where the collector stood still before it goes on doing so, for whoever had it do that.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.enable()


def load_all() -> None:
    """What apps register where one asks for it, and commands seldom do: operations, measures, tasks, parts of pages.

    For whoever goes on in several threads: nobody waits for it later, and no two load it at once. Two that begin at
    different ends of modules that name each other would wait for each other, and Python would end one with an error.
    """
    with loading():
        autodiscover_modules("every_page", "measures", "operations", "tasks")


def load_pages() -> None:
    """The same with all pages, for whoever checks them beside something else."""
    load_all()
    with loading():
        import_module(settings.ROOT_URLCONF)
