"""The watcher: compares what happened at the exchange with what was asked for here, and raises alarms."""
