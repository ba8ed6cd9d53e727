"""What a process pays for the public channels does not grow with time, nor with who listens."""

from portal.api.stream.channels import book, ohlc
from portal.api.stream.channels.registry import OF_A_PAIR
from portal.venues.paper.prices.walk import Walk
from portal.venues.paper.venue import PaperVenue

VENUE = PaperVenue()
PAIR = VENUE.pair("ETH/USD")
# All that can be subscribed to of a pair.
ASKED: list[tuple[str, dict[str, object]]] = [("trade", {})]
ASKED += [("book", {"depth": depth}) for depth in book.DEPTHS]
ASKED += [("ohlc", {"interval": interval}) for interval in ohlc.INTERVALS]
ASKED += [("ticker", {"event_trigger": trigger}) for trigger in ("trades", "bbo")]


def test_a_second_of_every_channel_costs_some_prices_and_one_with_a_trade_some_hundred(clock, monkeypatch):
    channels = [(OF_A_PAIR[name], OF_A_PAIR[name].read(fields)) for name, fields in ASKED]
    states = [channel.update(VENUE, PAIR, options, None)[1] for channel, options in channels]
    prices: list[int] = []
    mid = Walk.mid

    def counted(self: Walk, pair_id: str, step: int) -> int:
        prices.append(step)
        return mid(self, pair_id, step)

    monkeypatch.setattr(Walk, "mid", counted)
    costs = []
    for second in range(1, 33):
        clock(second)
        prices.clear()
        for place, (channel, options) in enumerate(channels):
            _, states[place] = channel.update(VENUE, PAIR, options, states[place])
        costs.append(len(prices))
    quiet = [cost for second, cost in enumerate(costs, 1) if second % 16]
    assert max(quiet) <= 20
    assert max(costs) <= 700
