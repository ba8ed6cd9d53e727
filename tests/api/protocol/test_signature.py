"""API-Sign against the vectors of the protocol reference §2."""

import hmac
from base64 import b64decode, b64encode

import pytest

from portal.api.protocol.signature import compute, matches

SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
NONCE = "1616492376594"
VECTORS = [
    (
        "/0/private/AddOrder",
        b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25",
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
    ),
    (
        "/0/private/AddOrder",
        (
            b'{"nonce": "1616492376594", "ordertype": "limit", "pair": "XBTUSD", "price": "37500", "type": "buy", '
            b'"volume": "1.25"}'
        ),
        "xpaEX6OcQ6HSAlpZQybyOfLGI4OeIxsMlrIkp+lsDFklwLDkE9m3+msq9MH2e3JTCc9Npg+/trh/iZirI1oSHQ==",
    ),
    (
        "/0/private/AddOrder",
        b'{"nonce":1616492376594,"ordertype":"limit","pair":"XBTUSD","price":"37500","type":"buy","volume":"1.25"}',
        "kMkTQfyYJH05IdnWQ9TIqL9Kq+dKqcD5O/TGPPLRwwy1is/YvqEYtMAHf7tXsqwfbLwp7pbzJzWHxzKPnL8rfA==",
    ),
    (
        "/0/private/Balance",
        b"nonce=1616492376594",
        "1nH4vwR+8FHiYh1QT649xXkGd3JR3x0DWkgv3u9Ed/Qqv6KPtgQpEU4m+Emb/VgpEji3j1XNwI+HCbfXxmrTOg==",
    ),
]


@pytest.fixture
def keyed() -> hmac.HMAC:
    return hmac.new(b64decode(SECRET), digestmod="sha512")


@pytest.mark.parametrize(("path", "body", "signature"), VECTORS)
def test_the_published_vectors_match(keyed, path, body, signature):
    """AP-2: published vectors."""
    assert b64encode(compute(keyed, path=path, nonce=NONCE, body=body)).decode() == signature
    assert matches(keyed, signature, path=path, nonce=NONCE, body=body)


def test_each_changed_byte_of_path_nonce_and_body_breaks_it(keyed):
    """AP-2: flip each byte of path, nonce, body."""
    path, body, signature = VECTORS[0]
    for place in range(len(path)):
        assert not matches(keyed, signature, path=_flipped(path, place), nonce=NONCE, body=body)
    for place in range(len(NONCE)):
        assert not matches(keyed, signature, path=path, nonce=_flipped(NONCE, place), body=body)
    for place in range(len(body)):
        flipped = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert not matches(keyed, signature, path=path, nonce=NONCE, body=flipped)


@pytest.mark.parametrize(
    "claimed", ["", "====", "nonsense", "é" * 88, "A" * 88, b64encode(b"x" * 63).decode(), VECTORS[3][2][:-1], "\x00"]
)
def test_what_is_no_signature_does_not_match(keyed, claimed):
    """AP-2: wrong length and bad base64 are wrong signatures."""
    assert not matches(keyed, claimed, path="/0/private/Balance", nonce=NONCE, body=b"nonce=1616492376594")


def test_the_keyed_state_can_be_used_again(keyed):
    path, body, signature = VECTORS[3]
    assert matches(keyed, signature, path=path, nonce=NONCE, body=body)
    assert matches(keyed, signature, path=path, nonce=NONCE, body=body)


def _flipped(text: str, place: int) -> str:
    return text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
