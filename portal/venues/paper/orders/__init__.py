"""Orders and trades of the paper exchange. Whatever changes one holds the lock of its Account's balances."""
