"""What each method of the bots' API answers, by the part of the exchange that it asks about."""
