"""The description of the bots' API, made from the tables that answer it."""

import json
import re

import jsonschema_rs
import pytest
import schemathesis

from portal.api import methods, permissions
from portal.api.openapi import document
from portal.api.protocol.envelope import Error
from tests.api.calls import ask_public

OPENAPI = json.loads(json.dumps(document()))


def test_anybody_may_read_it(client, db):
    response = client.get("/openapi.json")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == OPENAPI
    assert client.post("/openapi.json").status_code == 405


def test_it_is_openapi_3_1():
    schemathesis.openapi.from_dict(OPENAPI).validate()
    assert OPENAPI["openapi"] == "3.1.0"


def test_every_method_is_in_it_with_what_opens_it():
    assert OPENAPI["paths"].keys() == {
        *(f"/0/public/{name}" for name in methods.PUBLIC),
        *(f"/0/private/{name}" for name in methods.PRIVATE),
    }
    for name in methods.PRIVATE:
        operation = OPENAPI["paths"][f"/0/private/{name}"]["post"]
        assert operation["x-permissions"] == sorted(permissions.PERMISSIONS[name])
        assert operation["security"] == [{"key": [], "signature": []}]
        assert operation["description"], name
    assert OPENAPI["components"]["schemas"]["Error"]["enum"] == [error.value for error in Error]


@pytest.mark.parametrize("method", [*methods.PUBLIC, *methods.PRIVATE])
def test_every_schema_in_it_is_one(method):
    path = f"/0/public/{method}" if method in methods.PUBLIC else f"/0/private/{method}"
    (operation,) = OPENAPI["paths"][path].values()
    schemas = [each["schema"] for each in operation.get("parameters", [])]
    schemas += [each["schema"] for each in operation.get("requestBody", {}).get("content", {}).values()]
    for schema in schemas:
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
        for pattern in re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', json.dumps(schema)):
            re.compile(json.loads(f'"{pattern}"'))


def test_a_real_answer_is_what_it_says():
    answer = {"$ref": "#/components/schemas/Answer", "components": OPENAPI["components"]}
    validator = jsonschema_rs.validator_for(answer)
    validator.validate(ask_public("Time"))
    validator.validate(ask_public("Nonsense"))
    assert not validator.is_valid({"error": ["EGeneral:Nobody said that"]})
    assert not validator.is_valid({"error": [], "result": 1, "more": 2})
