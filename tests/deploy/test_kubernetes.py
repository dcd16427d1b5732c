"""The Kubernetes manifests are what the API server takes, and agree with each other, the image and our settings."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml
from spanloop_collector.configuration import resolve
from spanloop_collector.pipeline import DRAIN_SECONDS, STOP_RECEIVING_SECONDS

from tests.deploy.test_containers import DEPLOY, image_environment

KUBERNETES = "1.37"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = [
    manifest for file in KUSTOMIZATION["resources"] for manifest in yaml.safe_load_all((DEPLOY / file).read_text())
]
WORKLOADS = {m["metadata"]["name"]: m["spec"] for m in MANIFESTS if m["kind"] in ("StatefulSet", "Deployment")}
SERVICES = {m["metadata"]["name"]: m["spec"] for m in MANIFESTS if m["kind"] == "Service"}


def name_of(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']}-{manifest['metadata']['name']}"


def container(workload: str) -> dict[str, Any]:
    (found,) = WORKLOADS[workload]["template"]["spec"]["containers"]
    return dict(found)


def environment(workload: str, secret: str = "secret") -> dict[str, str]:
    """What the pod's variables are once Kubernetes has filled in secrets and references."""
    found: dict[str, str] = {}
    for variable in container(workload)["env"]:
        text = variable.get("value", secret)
        for name, value in found.items():
            text = text.replace(f"$({name})", value)
        found[variable["name"]] = text
    return found


@pytest.mark.parametrize("manifest", MANIFESTS, ids=name_of)
def test_the_api_server_would_take_it(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_a_manifest_that_is_wrong_would_be_found() -> None:
    broken = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"ports": [{"prot": 1}]}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_finds_pods_and_their_ports(service: str) -> None:
    spec = SERVICES[service]
    (pods,) = [w["template"] for w in WORKLOADS.values() if w["template"]["metadata"]["labels"] == spec["selector"]]
    ports = {port["name"] for port in pods["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"] for port in spec["ports"]} <= ports


@pytest.mark.parametrize("workload", WORKLOADS)
def test_each_workload_selects_its_own_pods_and_mounts_what_it_declares(workload: str) -> None:
    spec = WORKLOADS[workload]
    pod = spec["template"]["spec"]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    claims = {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])}
    declared = claims | {volume["name"] for volume in pod.get("volumes", [])}
    assert {mount["name"] for mount in container(workload)["volumeMounts"]} == declared


def test_the_collectors_variables_are_settings_that_hold() -> None:
    settings = resolve(environment=image_environment() | environment("spanloop")).settings

    assert settings.store.clickhouse_url == "http://spanloop:secret@spanloop-clickhouse:8123"
    assert settings.auth.require_keys
    assert settings.score.workers == 0
    assert str(settings.data_dir) == "/data"
    ports = {port["name"]: port["containerPort"] for port in container("spanloop")["ports"]}
    assert [f"0.0.0.0:{port}" for port in ports.values()] == [
        settings.receive.grpc_address,
        settings.receive.http_address,
        settings.receive.api_address,
    ]


def test_the_spool_of_both_signals_fits_its_volume() -> None:
    settings = resolve(environment=image_environment() | environment("spanloop")).settings
    (claim,) = WORKLOADS["spanloop"]["volumeClaimTemplates"]
    size = claim["spec"]["resources"]["requests"]["storage"]
    assert size.endswith("Gi")
    assert 2 * settings.spool.max_bytes + settings.spool.min_free_disk_bytes < int(size.removesuffix("Gi")) << 30


def test_a_pod_is_given_the_time_that_a_stop_takes() -> None:
    grace = WORKLOADS["spanloop"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > 3 * STOP_RECEIVING_SECONDS + 2 * DRAIN_SECONDS


def test_the_scorer_asks_the_collectors_service() -> None:
    host, port = environment("spanloop-scorer")["SPANLOOP_API_URL"].removeprefix("http://").split(":")
    assert int(port) in {port["port"] for port in SERVICES[host]["ports"]}


def test_generated_configuration_comes_from_files_that_exist_and_is_mounted() -> None:
    generated = {
        entry["name"]: [pair.partition("=")[2] for pair in entry["files"]]
        for entry in KUSTOMIZATION["configMapGenerator"]
    }
    volumes = WORKLOADS["spanloop-clickhouse"]["template"]["spec"]["volumes"]
    assert {volume["configMap"]["name"] for volume in volumes} == set(generated)
    assert [file for files in generated.values() for file in files if not (DEPLOY / file).is_file()] == []
