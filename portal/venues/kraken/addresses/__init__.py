"""The exchange's own book of addresses, which that of an Account there mirrors."""
