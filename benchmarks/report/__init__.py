"""What was found out, in tables: on the screen, and in the page that says how quick the portal is."""
