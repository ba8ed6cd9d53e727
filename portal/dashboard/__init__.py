"""The frame around all pages: navigation, home, history, errors, and whether the portal is well."""
