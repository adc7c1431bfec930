"""What annotations of a pod, and its tracer, add to the sidecar in every release."""

from __future__ import annotations

from typing import Final, Literal

from mesh.proxy import proxy
from mesh.proxy.expr import Node, all_of, each, equal, join, value_or, when
from mesh.proxy.inputs import Inputs
from mesh.proxy.proxy import Volume, env_var

_BOOTSTRAP: Final = "sidecar.istio.io/bootstrapOverride"
_BOOTSTRAP_PATH: Final = "/etc/istio/custom-bootstrap"
_DATADOG: Final = "apm.datadoghq.com/env"


def bootstrap_env(inputs: Inputs) -> Node:
    """Where Envoy's own bootstrap file is, if an annotation names a ConfigMap with one."""
    override = env_var("ISTIO_BOOTSTRAP_OVERRIDE", f"{_BOOTSTRAP_PATH}/custom_bootstrap.json")
    return when(inputs.annotated(_BOOTSTRAP), override)


def bootstrap_volume(inputs: Inputs) -> Volume:
    """The ConfigMap with Envoy's own bootstrap file."""
    return Volume(
        name="custom-bootstrap-volume",
        source={"configMap": {"name": inputs.annotation(_BOOTSTRAP)}},
        path=_BOOTSTRAP_PATH,
        needed=inputs.annotated(_BOOTSTRAP),
    )


def datadog_env(inputs: Inputs) -> Node:
    """Environment variables from an annotation that holds a JSON object, for the tracer Datadog."""
    named = all_of(equal(inputs.setting("global.proxy.tracer"), "datadog"), inputs.annotated(_DATADOG))
    return when(named, each(inputs.annotation_object(_DATADOG), lambda name, value: env_var(name, join(value))))


def certificates(inputs: Inputs) -> Volume:
    """The Secret of a service account with its certificates, where proxies do not ask for them."""
    account = value_or(inputs.service_account, "default")
    return proxy.certificate_volume(inputs.setting("global.mountMtlsCerts"), join("istio.", account), "/etc/certs/")


def tracer_volume(inputs: Inputs) -> Volume:
    """The CA certificate of the tracer Lightstep."""
    return Volume(
        name="lightstep-certs",
        source={"secret": {"secretName": "lightstep.cacert", "optional": True}},
        path=inputs.tracer_ca_directory,
        readOnly=True,
        needed=all_of(equal(inputs.setting("global.proxy.tracer"), "lightstep"), inputs.tracer_tls),
    )


def of_user(inputs: Inputs, kind: Literal["userVolume", "userVolumeMount"]) -> Node:
    """Volumes or mounts from an annotation that holds a JSON object by name of the volume."""
    name = f"sidecar.istio.io/{kind}"
    return when(inputs.annotated(name), each(inputs.annotation_object(name), inputs.with_name))
