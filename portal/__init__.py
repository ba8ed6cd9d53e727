"""The portal around people and policies. Imports nothing: `portal.core` is below all else, `portal.urls` above it."""
