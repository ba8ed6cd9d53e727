"""What one call takes, exactly: statements sent to the database, functions entered and bytecodes run in Python."""
