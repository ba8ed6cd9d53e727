"""The objects for Kubernetes: what one names the other has, and what the portal reads they give it."""

import re

import pytest
import yaml
from django.core.management import get_commands

from portal import settings as portal_settings
from portal.dashboard.views.health import PROBES
from tests.operating.containers.files import KUBERNETES, ROOT, branches, objects, of_kind, port_of, unit, unknown

SERVING = {"web", "stream"}
DEPLOYMENTS = {each["spec"]["template"]["spec"]["containers"][0]["name"]: each for each in of_kind("Deployment")}


def pod(each):
    return each["spec"]["template"]["spec"]


def workloads():
    return [*DEPLOYMENTS.values(), *of_kind("Job")]


def test_what_is_there():
    assert set(DEPLOYMENTS) == {"web", "stream", "work"}
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    others = {path.name for path in KUBERNETES.glob("*.yaml")} - set(listed["resources"])
    assert others == {"kustomization.yaml", "migrate.yaml", "secret.example.yaml"}
    assert not {each["kind"] for each in objects(*listed["resources"])} & {"Secret", "Job"}
    assert listed["namespace"] == "countersign"
    for each in objects("migrate.yaml", "secret.example.yaml"):
        assert each["metadata"]["namespace"] == listed["namespace"]


def test_who_migrates_is_of_the_release_that_serves():
    (image,) = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["images"]
    (job,) = of_kind("Job")
    assert image["name"] == "countersign"
    assert pod(job)["containers"][0]["image"] == f"{image['newName']}:{image['newTag']}"


@pytest.mark.parametrize("each", workloads(), ids=lambda each: each["metadata"]["name"])
def test_each_process_is_one_that_the_image_has(each):
    (container,) = pod(each)["containers"]
    command = container["args"][0]
    assert command in branches() or command in get_commands()
    assert container["name"] == command
    assert container["image"].split("/")[-1].split(":")[0] == "countersign"


@pytest.mark.parametrize("each", workloads(), ids=lambda each: each["metadata"]["name"])
def test_nobody_is_root_or_writes_elsewhere_than_in_tmp(each):
    (container,) = pod(each)["containers"]
    recipe = (ROOT / "deploy/containers/Containerfile").read_text()
    assert pod(each)["securityContext"]["runAsNonRoot"] is True
    assert f"USER {pod(each)['securityContext']['runAsUser']}:" in recipe
    assert pod(each)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(each)["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]
    assert {"requests", "limits"} <= set(container["resources"])


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_labels_select_what_they_mean(name):
    labels = DEPLOYMENTS[name]["spec"]["template"]["metadata"]["labels"]
    assert DEPLOYMENTS[name]["spec"]["selector"]["matchLabels"] == labels
    budgets = [each for each in of_kind("PodDisruptionBudget") if each["spec"]["selector"]["matchLabels"] == labels]
    (budget,) = budgets
    assert budget["spec"]["minAvailable"] < DEPLOYMENTS[name]["spec"]["replicas"]
    services = [each for each in of_kind("Service") if each["spec"]["selector"] == labels]
    assert len(services) == (name in SERVING)
    (policy,) = of_kind("NetworkPolicy")
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("name", sorted(SERVING))
def test_ports_and_probes_are_those_of_the_process(name):
    (container,) = pod(DEPLOYMENTS[name])["containers"]
    (port,) = container["ports"]
    assert port["containerPort"] == port_of(name)
    asked = {probe: container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "readiness", "liveness")}
    assert {each["port"] for each in asked.values()} == {port["name"]}
    assert {each["path"] for each in asked.values()} <= set(PROBES)
    # The database may be away for a night: who waits for it is not killed.
    assert asked["startup"]["path"] == asked["liveness"]["path"] == "/healthz"
    # Pages are still read where nothing can be changed; nobody trades there.
    assert asked["readiness"]["path"] == {"web": "/readyz/pages", "stream": "/readyz"}[name]
    (service,) = [each for each in of_kind("Service") if each["metadata"]["name"] == f"countersign-{name}"]
    assert service["spec"]["ports"] == [{"name": "http", "port": port_of(name), "targetPort": port["name"]}]
    (policy,) = of_kind("NetworkPolicy")
    let_in = {each["port"] for rule in policy["spec"]["ingress"] for each in rule["ports"]}
    assert port_of(name) in let_in


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_it_has_time_to_finish_what_it_began(name):
    spec = pod(DEPLOYMENTS[name])
    paused = 0
    if name in SERVING:
        (word, seconds) = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
        assert word == "sleep"
        paused = int(seconds)
    words = branches()[name]
    graceful = [
        int(words[words.index(each) + 1]) for each in words if each.endswith(("-timeout", "-graceful-shutdown"))
    ]
    systemd = (ROOT / f"deploy/systemd/countersign-{name}.service").read_text()
    (allowed,) = re.findall(r"^TimeoutStopSec=(\d+)$", systemd, re.MULTILINE)
    assert spec["terminationGracePeriodSeconds"] >= paused + max([30, *graceful])
    assert spec["terminationGracePeriodSeconds"] == int(allowed)
    assert unit(name)


def test_the_portal_is_given_what_it_does_not_start_without():
    (given,) = of_kind("ConfigMap")
    secrets = {each["metadata"]["name"]: each["stringData"] for each in of_kind("Secret")}
    names = set(given["data"]) | set(secrets["countersign-secrets"])
    assert set(portal_settings.NEEDED) <= names
    assert unknown(names) == set()
    for each in workloads():
        sources = [source for where in pod(each)["containers"][0]["envFrom"] for source in where.values()]
        assert {source["name"] for source in sources} <= {given["metadata"]["name"], *secrets}
    # The owner's address is with who migrates, and nobody else; there it counts, since it comes last.
    (job,) = of_kind("Job")
    assert list(pod(job)["containers"][0]["envFrom"][-1].values()) == [{"name": "countersign-owner"}]
    assert "countersign-owner" not in str(list(DEPLOYMENTS.values()))


def test_no_secret_is_written_down():
    for secret in of_kind("Secret"):
        assert set(secret["stringData"].values()) == {""}
    (given,) = of_kind("ConfigMap")
    assert not {name for name in given["data"] if re.search(r"KEY|_URL$|TOKEN|DSN", name)} - {"PORTAL_BASE_URL"}


def test_who_calls_comes_to_whom_they_mean():
    services = {each["metadata"]["name"] for each in of_kind("Service")}
    led = {}
    for ingress in of_kind("Ingress"):
        (rule,) = ingress["spec"]["rules"]
        assert rule["host"] in ingress["spec"]["tls"][0]["hosts"]
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            assert service["name"] in services
            assert service["port"] == {"name": "http"}
            led[path["path"]] = (service["name"], ingress["metadata"]["annotations"])
    assert led["/"][0] == led["/0/"][0] == "countersign-web"
    assert led["/v2"][0] == "countersign-stream"
    assert led["/0/"][1]["nginx.ingress.kubernetes.io/ssl-redirect"] == "false"
    nginx = (ROOT / "deploy/nginx/countersign.conf").read_text()
    doors = re.search(r"location ~ \^/\(([\w|-]+)\)/", nginx)
    assert doors is not None
    limited = {path.strip("/") for path, (_, notes) in led.items() if "nginx.ingress.kubernetes.io/limit-rps" in notes}
    assert limited == set(doors[1].split("|"))
    assert "location /setup/ { return 403; }" in nginx
    assert "/setup/" in led
