"""What only the operator does at the machine: founding, letting somebody in again, tiers of the bots' API."""
