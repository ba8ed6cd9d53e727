"""The bots' API, which speaks the protocol of Kraken Spot: it reads a call and answers it, and decides nothing."""
