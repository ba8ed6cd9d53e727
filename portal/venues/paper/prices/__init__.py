"""Reference prices and the book made up around them. Nothing is stored: all follows from settings and the clock."""
