"""The portal as a caller meets it: through its proxy, from wherever this runs."""
