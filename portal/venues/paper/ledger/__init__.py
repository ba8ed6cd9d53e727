"""The double-entry ledger of the paper exchange: every movement balanced, sealed, and never changed."""
