"""What people approve in the browser reaches the bot's socket."""

import pytest
from asgiref.sync import sync_to_async

from policies.changes import decide
from policies.models import ChangeRequest
from policies.workflows import Workflow
from tests.api.calls import Wire
from tests.api.stream.sockets import opened, played
from tests.api.stream.streaming_bots import streaming, subscribed, token_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_last_approval_moves_the_balance_on_the_socket_within_a_second(world, ben, cleo, fresh):
    bot = streaming(world.bot("treasury-bot"))

    def asked() -> str:
        return str(Wire(bot).result("Withdraw", asset="XBT", key="btc-cold", amount="0.5")["refid"])

    def approved(member) -> None:
        change = ChangeRequest.objects.get(workflow=Workflow.INITIATE_WITHDRAWAL)
        decide(change.reference, member=member, approved=True, digest=change.digest, proof=fresh(change))

    async def scene():
        token = await sync_to_async(token_of)(bot)
        async with opened() as socket:
            snapshot = await subscribed(socket, "balances", token)
            (before,) = [row["balance"] for row in snapshot["data"] if row["asset"] == "BTC"]
            refid = await sync_to_async(asked)()
            await socket.nothing(channel="balances")
            await sync_to_async(approved)(ben)
            await socket.nothing(channel="balances")
            await sync_to_async(approved)(cleo)
            frame = await socket.frame(channel="balances", within=1)
            (row,) = frame["data"]
            assert (frame["sequence"], row["asset"], row["type"], row["ref_id"]) == (2, "BTC", "withdrawal", refid)
            assert row["balance"] == pytest.approx(before - 0.5)
            assert row["amount"] - row["fee"] == pytest.approx(-0.5)

    played(scene)
