"""The bots' API as an OpenAPI description, made from the tables and parameter classes that answer the calls."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from django.conf import settings

from portal.api.call import JSON_TYPE
from portal.api.methods import PRIVATE, PUBLIC, PrivateMethod, PublicMethod
from portal.api.permissions import COSTS, PERMISSIONS
from portal.api.protocol.envelope import JSON, Error
from portal.api.protocol.parameters import Declared, declared
from portal.api.protocol.request_body import FORM

ABOUT: Final = (
    "The Kraken Spot REST protocol, served by this portal. Every answer is HTTP 200; `error` is empty exactly when "
    "there is a `result`. Fields that a method does not know are ignored, as is a field whose text is empty or `None`. "
    "In forms, and where a client prefers it in JSON, numbers and booleans may be sent as text, and lists with commas."
)
SIGNING: Final = (
    "base64 of HMAC-SHA512, keyed with the base64-decoded secret, over the path followed by the SHA-256 of the nonce's "
    "text followed by the exact bytes of the body."
)
NONCE: Final[JSON] = {
    "type": ["string", "integer"],
    "pattern": "^[0-9]{1,20}$",
    "description": "A whole number above every one that this key has used; see the key's nonce window.",
}


@cache
def document() -> Mapping[str, JSON]:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{settings.PRODUCT_NAME} bots' API", "version": "0", "description": ABOUT},
        "servers": [{"url": settings.BASE_URL}],
        "paths": {
            **{f"/0/public/{name}": {"get": _public(name, method)} for name, method in PUBLIC.items()},
            **{f"/0/private/{name}": {"post": _private(name, method)} for name, method in PRIVATE.items()},
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "API-Key", "description": "The public half."},
                "signature": {"type": "apiKey", "in": "header", "name": "API-Sign", "description": SIGNING},
            },
            "schemas": {
                "Error": {"type": "string", "enum": [error.value for error in Error]},
                "Answer": {"anyOf": [_ref("Success"), _ref("Failure")]},
                "Success": {
                    "type": "object",
                    "required": ["error", "result"],
                    "properties": {"error": {"type": "array", "maxItems": 0}, "result": {}},
                    "additionalProperties": False,
                },
                "Failure": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {
                        "error": {"type": "array", "items": _ref("Error"), "minItems": 1, "maxItems": 1},
                    },
                    "additionalProperties": False,
                },
            },
        },
    }


def _public(name: str, method: PublicMethod) -> JSON:
    return {
        **_operation(name, method),
        "security": [],
        "parameters": [
            {
                "name": each.name,
                "in": "query",
                "required": each.is_needed,
                "description": each.text,
                "schema": each.kind.schema(),
            }
            for each in declared(method.parameters)
        ],
    }


def _private(name: str, method: PrivateMethod) -> JSON:
    asked: JSON = {
        "type": "object",
        "required": ["nonce", *(each.name for each in declared(method.parameters) if each.is_needed)],
        "properties": {"nonce": NONCE, **{each.name: _property(each) for each in declared(method.parameters)}},
    }
    return {
        **_operation(name, method),
        "security": [{"key": [], "signature": []}],
        "requestBody": {"required": True, "content": {FORM: {"schema": asked}, JSON_TYPE: {"schema": asked}}},
        "x-permissions": sorted(PERMISSIONS[name]),
        "x-cost": COSTS.get(name, 1.0),
    }


def _operation(name: str, method: PublicMethod | PrivateMethod) -> dict[str, JSON]:
    about = " ".join((method.view.__doc__ or "").partition("Raises:")[0].split())
    file: dict[str, JSON] = {media_type: {} for media_type in method.file_types}
    return {
        "operationId": name,
        **({"description": about} if about else {}),
        "responses": {
            "200": {"description": "The answer.", "content": {JSON_TYPE: {"schema": _ref("Answer")}, **file}}
        },
    }


def _property(each: Declared) -> JSON:
    schema = each.kind.schema()
    spelled = schema.get("description")
    return {**schema, "description": f"{each.text} {spelled}." if spelled else each.text}


def _ref(name: str) -> JSON:
    return {"$ref": f"#/components/schemas/{name}"}
