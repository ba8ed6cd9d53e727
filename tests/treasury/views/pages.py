"""The form of a withdrawal as tests fill it in, and any page as they read it."""

import re

LIST, NEW, PREVIEW = "/withdrawals/", "/withdrawals/new/", "/withdrawals/new/preview/"


def confirm(client, url, **form):
    """Press the button of a review, with the digest that it shows."""
    page = client.get(url)
    assert page.status_code == 200, page
    return client.post(url, {"digest": page.context["form"]["digest"].value(), **form})


def text(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", answer.content.decode()))


def errors(answer) -> dict[str, list[str]]:
    return {name: list(found) for name, found in answer.context["form"].errors.items()}
