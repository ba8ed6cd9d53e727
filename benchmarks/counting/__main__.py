"""`python -m benchmarks.counting MODULE:NAME`: counts the calls of that WSGI application that are read from stdin."""

import json
import sys
from dataclasses import asdict
from importlib import import_module

from benchmarks.load import answers
from benchmarks.load.signing import Requests


def main(application: str) -> None:
    """Write what each call took."""
    module, _, name = application.partition(":")
    answering = getattr(import_module(module), name)

    # What they stand on is loaded with the application, whose settings they need.
    from benchmarks.counting import question  # noqa: PLC0415
    from benchmarks.counting.counted import Work, counted_alone  # noqa: PLC0415
    from benchmarks.counting.wsgi_call import called, environ_of  # noqa: PLC0415

    found = {}
    for each in question.read(sys.stdin.read()):
        requests = each.requests()
        last: list[bytes] = []

        def ready(requests: Requests = requests, last: list[bytes] = last) -> Work:
            # What the bot and the server do is the same for all.
            environ = environ_of(requests())

            def work() -> None:
                last[:] = [called(answering, environ)]

            return work

        found[each.name] = asdict(counted_alone(ready))
        # A refusal would be cheap, and nobody would know.
        answers.result(last[0])
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
