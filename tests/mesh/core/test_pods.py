"""The containers of a pod."""

from mesh.core import kinds, pods

POD = {
    "initContainers": [
        {"name": "setup"},
        {"name": "proxy", "restartPolicy": "Always", "image": "proxyv2"},
    ],
    "containers": [{"name": "app", "image": "app"}],
}


def test_running_containers_include_native_sidecars_but_no_other_init_containers() -> None:
    assert [(one.path, one.name) for one in pods.running_containers(POD)] == [
        ("containers[0]", "app"),
        ("initContainers[1]", "proxy"),
    ]


def test_all_containers_include_init_containers() -> None:
    assert [one.name for one in pods.all_containers(POD)] == ["app", "setup", "proxy"]


def test_the_image_of_a_container_without_one_is_empty() -> None:
    assert [one.image for one in pods.all_containers(POD)] == ["app", "", "proxyv2"]


def test_pod_specs_are_found_in_pods_and_pod_templates_only() -> None:
    made = {"spec": {"template": {"spec": POD}}}
    assert pods.pod_spec(kinds.POD, {"spec": POD}) == ("spec", POD)
    assert pods.pod_spec(kinds.DEPLOYMENT, made) == ("spec.template.spec", POD)
    nightly = {"spec": {"jobTemplate": made}}
    assert pods.pod_spec(kinds.CRON_JOB, nightly) == ("spec.jobTemplate.spec.template.spec", POD)
    assert pods.pod_spec(kinds.SERVICE, made) == ("", {})
    assert pods.pod_spec(kinds.DEPLOYMENT._replace(group="example.org"), made) == ("", {})
