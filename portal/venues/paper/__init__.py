"""The paper exchange: a whole exchange in the database, its time and its prices made up (DESIGN V1)."""
