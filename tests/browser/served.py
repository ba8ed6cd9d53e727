"""The portal as it runs here, but that a browser keeps its scripts and styles, as in public: nobody edits them."""

from portal.settings import *  # noqa: F403

WHITENOISE_MAX_AGE = 3600
