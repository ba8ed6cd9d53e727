"""What stands beside the nodes: Redis, a mail server, and the load balancer that callers know."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.chaos.installation.certificates import Certificates
from tests.machines.machine import Machine
from tests.serving import HOST

SINK: Final = "/opt/sink.py"
SINK_PAIR: Final = "/opt/sink.pem"
SINK_UNIT: Final = f"""
[Service]
ExecStart=/usr/bin/python3 {SINK} 465 {SINK_PAIR}
Restart=always
[Install]
WantedBy=multi-user.target
"""
# Whoever is ready gets calls. Where nobody is, whoever is there gets them, and says what is wrong.
BALANCER: Final = """
global
    maxconn 6000
defaults
    mode tcp
    retries 2
    option redispatch
    timeout connect 2s
    timeout check 3s
    timeout client 80s
    timeout server 80s
frontend pages
    bind :443
    use_backend there if {{ nbsrv(ready) lt 1 }}
    default_backend ready
backend ready
    balance roundrobin
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host {host}
    http-check expect status 200
    default-server {checks} fall 3 on-marked-down shutdown-sessions
{servers}
backend there
    balance roundrobin
    option httpchk
    http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host {host}
    http-check expect status 200
    default-server {checks} fall 2 on-marked-down shutdown-sessions
{servers}
"""
CHECKS: Final = "check check-ssl verify none check-sni {host} check-send-proxy send-proxy-v2 inter 1s rise 1"


def start_redis(machine: Machine) -> None:
    """Redis for everybody on the wire, with the command that lets it sleep."""
    machine.put("/etc/redis/redis.conf", "bind 0.0.0.0\nprotected-mode no\nenable-debug-command yes\nsave \"\"\n"
                "supervised systemd\ndir /var/lib/redis\n")  # fmt: skip
    machine.run("systemctl", "restart", "redis-server")
    machine.run("systemctl", "enable", "redis-server")


def start_mail(machine: Machine, own: Certificates) -> None:
    """A mail server that takes everything, over TLS."""
    machine.put(SINK_PAIR, own.key.read_bytes() + own.host.read_bytes(), mode=0o600)
    machine.copy(Path(__file__).with_name("sink.py"), SINK)
    machine.put("/etc/systemd/system/sink.service", SINK_UNIT)
    machine.run("systemctl", "enable", "--now", "sink")


def start_balancer(machine: Machine, nodes: Sequence[Machine]) -> None:
    """Whole connections for one node or the other; it says who they are from."""
    servers = "".join(f"    server {node.name} {node.address}:443\n" for node in nodes)
    configuration = BALANCER.format(host=HOST, servers=servers, checks=CHECKS.format(host=HOST))
    machine.put("/etc/haproxy/haproxy.cfg", configuration)
    machine.run("systemctl", "restart", "haproxy")
    machine.run("systemctl", "enable", "haproxy")
