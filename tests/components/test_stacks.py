"""The resources that the program registers for every stack file."""

import json

import pytest

from commands import render, stackfiles, stacks
from components import webhooks
from engine.recorder import Resource
from mesh.config.stack import Stack
from mesh.core import names
from tests import owned

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=stackfiles.names())
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def stack(name: str) -> Stack:
    return stacks.load(name)


@pytest.fixture(scope="module")
def resources(name: str, stack: Stack) -> list[Resource]:
    return render.record(name, stack=stack)


def of_kind(resources: list[Resource], kind: str) -> list[Resource]:
    return [r for r in resources if r.type.endswith(f":{kind}")]


def istios_definitions(resources: list[Resource]) -> list[Resource]:
    return [r for r in of_kind(resources, "CustomResourceDefinition") if r.name.endswith(".istio.io")]


def conditions(resource: Resource) -> set[str]:
    """The conditions that the provider waits for."""
    wait = resource.inputs.get("metadata", {}).get("annotations", {}).get("pulumi.com/waitFor")
    return set(json.loads(wait)) if wait else set()


def test_every_stack_installs_istiod_and_the_definitions_of_its_release(
    stack: Stack, resources: list[Resource]
) -> None:
    assert "istiod" in [r.name for r in of_kind(resources, "Deployment")]
    kinds = {r.inputs["spec"]["names"]["kind"] for r in istios_definitions(resources)}
    assert kinds == stack.installation.release.api.served.keys()


def test_every_kubernetes_object_uses_the_stacks_provider(resources: list[Resource]) -> None:
    objects = [r for r in resources if r.type.startswith("kubernetes:")]
    assert objects
    assert [r.name for r in objects if "::cluster::" not in (r.provider or "")] == []


def test_every_object_has_the_name_of_its_pulumi_resource(resources: list[Resource]) -> None:
    objects = [r for r in resources if r.type.startswith("kubernetes:")]
    assert [r.name for r in objects if r.inputs["metadata"]["name"] != r.name] == []


def test_every_object_has_the_same_field_manager(resources: list[Resource]) -> None:
    objects = [r for r in resources if r.type.startswith("kubernetes:")]
    managers = {r.inputs["metadata"].get("annotations", {}).get(names.FIELD_MANAGER) for r in objects}
    assert len(managers) == 1
    assert str(managers.pop()).startswith("mesh-")  # the provider's own choice is random, for each object another


@pytest.mark.parametrize("row", owned.fields(), ids=str)
def test_a_field_that_another_manager_owns_is_not_an_input(resources: list[Resource], row: owned.Field) -> None:
    manifests = list(render.manifests(resources))
    scaled = {m["spec"]["scaleTargetRef"]["name"] for m in manifests if m["kind"] == "HorizontalPodAutoscaler"}
    ours = [m for m in manifests if m["kind"] == row.kind and (not row.scaled or m["metadata"]["name"] in scaled)]
    configured = {31102, 31130, "None"}  # the node ports of the stacks `dev` and `today`; Loki's headless Services
    assert [m["metadata"]["name"] for m in ours if set(row.values(m)) - configured] == []


def test_webhooks_count_as_ready_when_istiod_has_patched_them(resources: list[Resource]) -> None:
    injectors, validators = (of_kind(resources, f"{kind}WebhookConfiguration") for kind in ("Mutating", "Validating"))
    assert injectors
    assert validators
    assert all(webhooks.PATCHED in conditions(injector) for injector in injectors)
    assert all({webhooks.PATCHED, webhooks.ENFORCED} <= conditions(validator) for validator in validators)


def test_every_wait_condition_includes_the_digest_of_the_objects_content(resources: list[Resource]) -> None:
    waiting = [r for r in resources if conditions(r)]
    assert waiting
    for resource in waiting:
        digest = resource.inputs["metadata"]["annotations"]["mesh/digest"]
        assert f"jsonpath={{.metadata.annotations['mesh/digest']}}={digest}" in conditions(resource)


def before(resources: list[Resource], last: Resource) -> set[str]:
    """Names of all resources that are created before `last`."""
    by_urn = {resource.urn: resource for resource in resources}
    found: set[str] = set()
    waiting = [last]
    while waiting:
        new = [by_urn[urn] for urn in waiting.pop().depends_on if urn in by_urn and urn not in found]
        found.update(resource.urn for resource in new)
        waiting += new
    return {by_urn[urn].name for urn in found}


def test_no_workload_is_created_before_the_injector_and_its_namespace(stack: Stack, resources: list[Resource]) -> None:
    injected = {r.name for r in resources if r.type.startswith("kubernetes:core/v1:Namespace")} - {"istio-system"}
    workloads = [r for r in of_kind(resources, "Deployment") if r.inputs["metadata"]["namespace"] in injected]
    assert len(workloads) == (6 if stack.settings.bookinfo else 0)
    for workload in workloads:
        wanted = {"istiod", "istio-sidecar-injector", workload.inputs["metadata"]["namespace"]}
        assert wanted - before(resources, workload) == set(), workload.name


def test_no_istio_object_is_created_before_its_definition_and_its_validation(resources: list[Resource]) -> None:
    objects = [r for r in resources if ".istio.io/" in r.type]
    assert objects
    validators = of_kind(resources, "ValidatingWebhookConfiguration")
    wanted = {r.name for r in (*validators, *istios_definitions(resources))}
    for item in objects:
        assert wanted <= before(resources, item), item.name


def test_every_object_of_the_mesh_is_created_after_its_namespace(resources: list[Resource]) -> None:
    inside = [r for r in resources if r.inputs.get("metadata", {}).get("namespace") == "istio-system"]
    assert [r.name for r in inside if "istio-system" not in before(resources, r)] == []


def manual() -> list[Resource]:
    config = stackfiles.config("dev")
    how = json.dumps({"default": {"ownership": "existing", "injection": "manual"}})
    return render.record("dev", {**config, "mesh:injectedNamespaces": how})


def test_manual_injection_puts_the_sidecar_into_the_workload() -> None:
    workloads = [r for r in of_kind(manual(), "Deployment") if r.inputs["metadata"]["namespace"] == "default"]
    assert len(workloads) == 6
    for workload in workloads:
        pod = workload.inputs["spec"]["template"]["spec"]
        assert [c["name"] for c in pod["containers"]] == [workload.inputs["metadata"]["labels"]["app"], "istio-proxy"]
        assert [c["name"] for c in pod["initContainers"]] == ["istio-init"]


def test_manual_injection_leaves_the_namespace_without_a_label() -> None:
    assert of_kind(manual(), "NamespacePatch") == []


def checksums(**config: str) -> set[str]:
    """The injection checksums of Bookinfo's pods."""
    more = {f"mesh:{key}": value for key, value in config.items()}
    recorded = render.record("dev", {**stackfiles.config("dev"), **more})
    templates = [r.inputs["spec"]["template"]["metadata"] for r in of_kind(recorded, "Deployment") if "-v" in r.name]
    assert len(templates) == 6
    return {template.get("annotations", {}).get("mesh/injection-checksum", "") for template in templates}


def test_workloads_restart_when_the_sidecar_changes_only_if_the_config_says_so() -> None:
    assert checksums() == checksums(tag="1.10.4") == {""}
    before = checksums(restartOnInjectionChange="true")
    assert len(before) == 1
    assert checksums(restartOnInjectionChange="true", tag="1.10.4") != before
    assert checksums(restartOnInjectionChange="true", nodeAddress="192.0.2.7") == before


def test_an_existing_namespace_is_only_labelled() -> None:
    (patch,) = of_kind(render.record("dev"), "NamespacePatch")
    metadata = {key: value for key, value in patch.inputs["metadata"].items() if key != "annotations"}
    assert metadata == {"name": "default", "labels": {"istio-injection": "enabled"}}
    assert patch.inputs["metadata"]["annotations"] == {names.FIELD_MANAGER: "mesh-dev"}


def test_the_injection_gate_is_off_only_if_the_config_says_so() -> None:
    config = stackfiles.config("dev")
    (injector,) = of_kind(
        render.record("dev", {**config, "mesh:injectionGate": "false"}), "MutatingWebhookConfiguration"
    )
    assert not conditions(injector)


def test_the_profile_minimal_installs_no_gateway() -> None:
    recorded = render.record("x", {"mesh:profile": "minimal"})
    assert [r.name for r in recorded if r.type == "mesh:istio:Gateway"] == []


def test_hub_and_tag_apply_to_every_istio_image() -> None:
    recorded = render.record("x", {"mesh:profile": "demo", "mesh:hub": "registry.example/istio", "mesh:tag": "x"})
    images = [
        container["image"]
        for deployment in of_kind(recorded, "Deployment")
        for container in deployment.inputs["spec"]["template"]["spec"]["containers"]
    ]
    assert sorted(set(images)) == ["registry.example/istio/pilot:x", "registry.example/istio/proxyv2:x"]


def test_custom_resources_are_deleted_in_the_background(resources: list[Resource]) -> None:
    custom = [r for r in resources if ".istio.io/" in r.type]
    assert custom
    assert {r.inputs["metadata"]["annotations"][names.DELETION_PROPAGATION] for r in custom} == {"background"}


def children(resources: list[Resource], component: str) -> list[Resource]:
    (parent,) = [r for r in resources if r.type == component]
    return [r for r in resources if r.parent == parent.urn]


def waits(recorded: list[Resource], kind: str, component: str) -> dict[str, set[str]]:
    """The dependencies of each object of a kind within the same component, as kind and name."""
    own = {r.urn: r for r in children(recorded, component)}
    return {
        r.name: {f"{own[urn].type.rpartition(':')[2]} {own[urn].name}" for urn in r.depends_on if urn in own}
        for r in of_kind(list(own.values()), kind)
    }


def test_routes_depend_on_their_subsets_and_on_no_others() -> None:
    assert waits(render.record("hardened"), "VirtualService", "mesh:traffic:Traffic") == {
        "productpage": {"DestinationRule productpage", "EnvoyFilter productpage-limit"},
        "details": {"DestinationRule details"},
        "ratings": {"DestinationRule ratings"},
        "reviews": {"DestinationRule reviews"},
        "bookinfo": {
            "DestinationRule productpage",
            "EnvoyFilter istio-ingressgateway-limits",
            "Gateway bookinfo-gateway",
        },
    }


def test_policies_that_deny_are_created_after_those_that_allow() -> None:
    found = waits(render.record("hardened"), "AuthorizationPolicy", "mesh:security:Security")
    allowed = {f"AuthorizationPolicy {service}" for service in ("productpage", "details", "reviews", "ratings")}
    assert found["bookinfo-default-deny"] == allowed
    assert found["istio-ingressgateway-jwt"] == {"RequestAuthentication istio-ingressgateway-jwt"}
