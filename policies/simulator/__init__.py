"""What would happen if somebody asked for a withdrawal: answered as a real request would be, and nothing is written.

The rooms: `conditions` (why a rule does not match), `caps` (what a Service User may withdraw at most), `answers` (what
the rules in force, or others, say of it).
"""
