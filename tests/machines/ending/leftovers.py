"""A driver that is killed takes its machines with it: beside each somebody waits for that, and clears away."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

# It reads from a pipe that the driver alone holds open: whichever way that one ends, so does the pipe. (A signal by the
# death of a parent would go by the thread that started the machine, which may end long before.)
WATCHES: Final = """
read -r word
[ "$word" = done ] && exit
machine=$1 namespace=$2 wire=$3 cable=$4
shift 4
kill -KILL $(cat "/proc/$machine/task/$machine/children") "$machine"
for place in "$@"; do umount --lazy "$place"; done
ip -n "$wire" link del "$cable"
ip netns del "$namespace"
[ -n "$(ip netns pids "$wire")$(ip -n "$wire" -o link show type bridge_slave)" ] || ip netns del "$wire"
for group in /sys/fs/cgroup/*/"$namespace"; do
    for try in 1 2 3 4 5; do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
        sleep 0.2
    done
done
"""


class Watch:
    """Waits for the end of whoever made it, and then ends a machine and takes away what it lay in."""

    def __init__(self, machine: int, *, namespace: str, wire: str, cable: str, mounts: Sequence[Path]) -> None:
        self._process = subprocess.Popen(
            ["sh", "-c", WATCHES, "watch", str(machine), namespace, wire, cable, *map(str, mounts)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def leave(self) -> None:
        """The machine is off, and its driver has cleared away itself."""
        self._process.communicate(b"done\n", timeout=30)


def clear_wires() -> None:
    """Take away the networks of drivers that are no more, as long as nothing is plugged in any more."""
    for namespace in Path("/run/netns").glob("wire[0-9]*"):
        number = namespace.name.removeprefix("wire")
        if not Path(f"/proc/{number}").exists():
            done = subprocess.run(
                ["ip", "-n", namespace.name, "-o", "link", "show", "type", "bridge_slave"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if not done.stdout:
                subprocess.run(["ip", "netns", "del", namespace.name], capture_output=True, check=False)
