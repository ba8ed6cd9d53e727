#!/usr/bin/env python
"""Runs Countersign's management commands."""

from portal.command_line import main

if __name__ == "__main__":
    main()
