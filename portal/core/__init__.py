"""What everything stands on: money, errors, paging, secrets, and the ways of the web and of the database."""
