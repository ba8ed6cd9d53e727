"""The bots' protocol as it stands on the wire: bodies, parameters, signature, answers, words."""
