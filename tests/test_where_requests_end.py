"""No function below a view takes a request, but middleware: what is below is given the session, the member, the words.

So it can be called by a command, a task or a test, and says by what it takes what it depends on.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
OURS = ("accounts", "policies", "portal")
# What stands in these brackets is not what is given: what a function takes, and words.
NO_VALUES = {"Callable", "Literal"}
REQUESTS = {"HttpRequest", "MemberRequest", "WSGIRequest", "ASGIRequest"}
# Who is given one all the same, and why.
GIVEN_ONE = {
    "accounts.authentication.message_storage:Storage.__init__": "Django makes it, and the storages inside it",
    "policies.access:needs.guard.guarded": "is the view, with the question of who may around it",
    "portal.api.description:openapi": "a view: the one page of the bots' API",
    "portal.core.web.debug_pages:ReporterFilter.get_post_parameters": "a hook of Django's page about an error",
    "portal.core.web.debug_pages:ReporterFilter.get_safe_cookies": "as above",
    "portal.core.web.debug_pages:ReporterFilter.get_safe_request_meta": "as above",
    "portal.core.web.debug_pages:ReporterFilter.get_traceback_frame_variables": "as above",
    "portal.core.web.debug_pages:ReporterFilter.is_active": "as above",
    "portal.dashboard.navigation:navigation": "a context processor, which Django calls with it",
    "portal.dashboard.read_only:changes": "as above",
}


def is_request(annotation: ast.expr | None) -> bool:
    """Whether a value of that type may be a request; a function that takes one is none."""
    if annotation is None:
        return False
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return is_request(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).rpartition(".")[2] in NO_VALUES:
        return False
    if isinstance(annotation, ast.Name | ast.Attribute):
        return ast.unparse(annotation).rpartition(".")[2] in REQUESTS
    return any(is_request(part) for part in ast.iter_child_nodes(annotation) if isinstance(part, ast.expr))


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.arg]:
    """All of them."""
    given = node.args
    starred = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *starred]


def is_middleware(node: ast.AST) -> bool:
    """Whether Django puts it around the views: it is made with what answers further in."""
    made = next((one for one in ast.iter_child_nodes(node) if getattr(one, "name", "") == "__init__"), None)
    return isinstance(made, ast.FunctionDef) and [one.arg for one in parameters(made)] == ["self", "get_response"]


def takers(tree: ast.AST, above: str = "") -> Iterator[str]:
    """What in a module is given a request, by its dotted name: functions, and classes that keep one in a field."""
    for node in ast.iter_child_nodes(tree):
        name = above
        if isinstance(node, ast.ClassDef):
            if is_middleware(node):
                continue
            name = f"{above}.{node.name}".lstrip(".")
            if any(isinstance(field, ast.AnnAssign) and is_request(field.annotation) for field in node.body):
                yield name
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            name = f"{above}.{getattr(node, 'name', 'lambda')}".lstrip(".")
            if any(one.arg == "request" or is_request(one.annotation) for one in parameters(node)):
                yield name
        yield from takers(node, name)


def below_views() -> Iterator[tuple[str, Path]]:
    """Each of our modules that is neither a view nor middleware."""
    for top in OURS:
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if not {"views", "middleware", "migrations"} & set(parts):
                yield ".".join(parts), path


def test_no_function_below_a_view_takes_a_request():
    """A line here leaves with its reason; what Django does not force comes in with none."""
    found = {
        f"{module}:{name}"
        for module, path in below_views()
        for name in takers(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set(GIVEN_ONE)


@pytest.mark.parametrize(
    "source",
    [
        "def f(request): ...",
        "def f(one, *, request=None): ...",
        "async def f(asked: HttpRequest): ...",
        "def f(asked: 'MemberRequest | None' = None): ...",
        "def f(asked: http.HttpRequest, /): ...",
        "def f(*asked: HttpRequest): ...",
        "def f(asked: Annotated[list[HttpRequest], 1]): ...",
        "f = lambda request: request",
        "class F:\n    def f(self, asked: WSGIRequest): ...",
        "class F:\n    def __init__(self, request): ...",
        "class F:\n    asked: HttpRequest",
        "def g():\n    def f(request): ...",
    ],
)
def test_whatever_takes_one_is_seen(source):
    assert list(takers(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "def f(change: ChangeRequest, requests: int) -> HttpRequest: ...",
        "def f(word: Literal['request', '']): ...",
        "def f(view: Callable[[HttpRequest], HttpResponse]): ...",
        "class Middle:\n    def __init__(self, get_response): ...\n    def __call__(self, request): ...",
    ],
)
def test_nothing_else_is(source):
    assert list(takers(ast.parse(source))) == []
