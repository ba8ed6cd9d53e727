"""The public channels, each a module with the functions of `public.Channel`; `registry` knows them by name."""
