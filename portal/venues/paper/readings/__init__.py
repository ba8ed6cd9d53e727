"""What bots ask most, to be read along with the nonce of a call: one question each, without the ORM (PostgreSQL)."""
