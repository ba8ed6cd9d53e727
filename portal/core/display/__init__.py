"""Values as people read them: marked up, in words, in a table to take away."""
