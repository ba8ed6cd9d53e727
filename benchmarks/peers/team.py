"""Peer g: the portal's checks as a team writes them plainly, with the ORM, in the order in which they come to mind."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from ipaddress import ip_address, ip_network

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from benchmarks.peers import refusals
from benchmarks.peers.balances import amounts
from benchmarks.peers.models import Balance, Key
from benchmarks.peers.sealing import unseal

SCOPE = "query-funds"
HIGHEST = 2**63 - 1


@csrf_exempt
@require_POST
def balance(request: HttpRequest) -> JsonResponse:
    """The balances of the Account that the key belongs to."""
    key = Key.objects.filter(public=request.headers.get("API-Key", "")).first()
    if key is None or not key.is_active or (key.expires_at and key.expires_at <= timezone.now()):
        return refused(refusals.INVALID_KEY)
    if key.allow_list and not any(ip_address(source(request)) in ip_network(each) for each in key.allow_list):
        return refused(refusals.INVALID_KEY)
    nonce = request.POST.get("nonce", "")
    if not hmac.compare_digest(signature(key, request.path, nonce, request.body), request.headers.get("API-Sign", "")):
        return refused(refusals.INVALID_SIGNATURE)
    if not nonce.isdecimal() or int(nonce) > HIGHEST or not spend(key, int(nonce)):
        return refused(refusals.INVALID_NONCE)
    if SCOPE not in key.scopes:
        return refused(refusals.PERMISSION_DENIED)
    rows = Balance.objects.filter(account=key.account)
    free = ((row.asset, row.units - row.held_by_withdrawals_units) for row in rows)
    return JsonResponse({"error": [], "result": amounts(free)})


def refused(error: str) -> JsonResponse:
    """The envelope of a call that is not answered."""
    return JsonResponse({"error": [error]})


def source(request: HttpRequest) -> str:
    """The address that the proxy in front says, or the peer's."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return forwarded.rpartition(",")[2].strip() or request.META["REMOTE_ADDR"]


def signature(key: Key, path: str, nonce: str, body: bytes) -> str:
    """What API-Sign has to be."""
    secret = b64decode(unseal(key.sealed))
    message = path.encode() + hashlib.sha256(nonce.encode() + body).digest()
    return b64encode(hmac.new(secret, message, hashlib.sha512).digest()).decode()


@transaction.atomic
def spend(key: Key, nonce: int) -> bool:
    """Take the nonce, under the row's lock; False if it is no higher than the last one."""
    locked = Key.objects.select_for_update().get(pk=key.pk)
    if not locked.is_active or nonce <= locked.last_nonce:
        return False
    locked.last_nonce = nonce
    locked.calls += 1
    locked.save()
    return True


urlpatterns = [path("0/private/Balance", balance)]
