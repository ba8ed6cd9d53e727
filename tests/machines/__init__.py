"""Whole Debian machines on this one, each with its own systemd, disk and address: for what an operator does.

A machine is a container of systemd-nspawn in a network namespace of its own. Machines reach each other over a bridge
which lies in one more namespace; no address of theirs is known outside of these.
"""
