"""Somebody who reads the pages of freezes, and what is frozen there."""

import re

import pytest
from django.test import Client

from policies.freezes.freeze import freeze
from policies.freezes.places import Place
from policies.models import Freeze
from policies.workflows import Workflow

LIST, NEW = "/policies/freezes/", "/policies/freezes/new/"
ACCESS, MONEY = Workflow.MANAGE_ACCESS, Workflow.INITIATE_WITHDRAWAL
WHY = "A laptop is gone."


def text_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def frozen(member, workflow=ACCESS, account=None, hours=5) -> Freeze:
    place = Place(workflow, account.pk, account.name) if account else Place(workflow)
    return freeze(actor=member, place=place, hours=hours, reason=WHY)


@pytest.fixture
def reader(sign_in):
    """A browser of its own for each."""

    def of(member) -> Client:
        client = Client()
        sign_in(client, member)
        return client

    return of
