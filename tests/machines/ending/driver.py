"""A driver that starts a machine, says so, and waits to be killed: `python -m tests.machines.ending.driver FOLDER`."""

import signal
import sys
import threading
from pathlib import Path

from tests.machines import networks
from tests.machines.machine import machines


def main() -> None:
    """Start it in a thread that ends before, as whoever breaks machines does."""
    folder = Path(sys.argv[1])
    with networks.laid() as network, machines(network, folder, ["orphan"], disks={"orphan": {"/srv/small": 16}}) as own:
        (machine,) = own
        machine.kill()
        again = threading.Thread(target=machine.start)
        again.start()
        again.join()
        sys.stdout.write(f"{network.name} {machine.namespace} {machine.leader}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()
