"""An app of the tests' own, with migrations of a release to come, each as docs/upgrading.md asks for it."""
