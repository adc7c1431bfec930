"""The containers of a pod."""

from mesh.core import kinds, pods

POD = {
    "initContainers": [
        {"name": "setup"},
        {"name": "proxy", "restartPolicy": "Always", "image": "proxyv2"},
    ],
    "containers": [{"name": "app", "image": "app"}],
}


def test_a_native_sidecar_runs_beside_the_containers_and_other_init_containers_do_not() -> None:
    assert [(one.path, one.name) for one in pods.running_containers(POD)] == [
        ("containers[0]", "app"),
        ("initContainers[1]", "proxy"),
    ]


def test_all_containers_are_those_that_run_and_init_containers() -> None:
    assert [one.name for one in pods.all_containers(POD)] == ["app", "setup", "proxy"]


def test_a_container_without_an_image_has_an_empty_one() -> None:
    assert [one.image for one in pods.all_containers(POD)] == ["app", "", "proxyv2"]


def test_a_pods_spec_is_found_in_what_makes_pods_and_nowhere_else() -> None:
    made = {"spec": {"template": {"spec": POD}}}
    assert pods.pod_spec(kinds.POD, {"spec": POD}) == ("spec", POD)
    assert pods.pod_spec(kinds.DEPLOYMENT, made) == ("spec.template.spec", POD)
    assert pods.pod_spec(kinds.SERVICE, made) == ("", {})
    assert pods.pod_spec(kinds.DEPLOYMENT._replace(group="example.org"), made) == ("", {})
