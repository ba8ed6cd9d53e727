"""Every route of the URL map."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """One route: its full name, the view behind it, and how many parts of its path vary."""

    name: str
    view: Callable[..., object]
    parameters: int


def routes() -> list[Route]:
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[URLPattern | URLResolver], namespace: str, parameters: int = 0) -> Iterator[Route]:
    for pattern in patterns:
        inside = parameters + len(pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, f"{namespace}{pattern.namespace or ''}:", inside)
        else:
            yield Route(f"{namespace}{pattern.name}", pattern.callback, inside)
