"""The volumes of pods with an Istio 1.30 proxy and their mounts, in the orders in which Istio lists them."""

from __future__ import annotations

from typing import Final

from mesh.proxy import proxy
from mesh.proxy.expr import Node, Value, coalesce, equal, join, negate, when
from mesh.proxy.inputs import Inputs
from mesh.proxy.proxy import DATA_VOLUME, Volume
from mesh.releases.common import additions

_SECRETS: Final = "/var/run/secrets"
TRUST_BUNDLES: Final = "ENABLE_CLUSTER_TRUST_BUNDLE_API"
"""Environment variable of istiod: whether it publishes its root certificate as a ClusterTrustBundle."""
INFO: Final = proxy.metadata_volume("istio-podinfo")
ENVOY: Final = proxy.envoy_volume(medium="Memory")


def socket(name: str, folder: str, *, source: bool = True) -> Volume:
    """A folder for a socket of the agent. Without a source it is an empty folder unless another template names one."""
    return Volume(name=name, source={"emptyDir": {}} if source else {}, path=f"{_SECRETS}/{folder}")


WORKLOAD_SOCKET: Final = socket("workload-socket", "workload-spiffe-uds", source=False)
CREDENTIAL_SOCKET: Final = socket("credential-socket", "credential-uds")


def token(audience: Value) -> Volume:
    """The service account token with which the agent asks for its certificate."""
    return proxy.token_volume(proxy.THIRD_PARTY, audience)


def certificates(inputs: Inputs, *, source: bool) -> list[Volume]:
    """Certificates that the agent writes for others, or those of Google's certificate authority service."""
    google = equal(inputs.setting("global.caName"), "GkeWorkloadCertificate")
    path = f"{_SECRETS}/workload-spiffe-credentials"
    driver: Node = {"driver": "workloadcertificates.security.cloud.google.com"}
    own: dict[str, Node] = {"emptyDir": {}} if source else {}
    return [
        Volume(name="gke-workload-certificate", source={"csi": driver}, path=path, readOnly=True, needed=google),
        Volume(name="workload-certs", source=own, path=path, needed=negate(google)),
    ]


def root_certificate(inputs: Inputs, needed: Value) -> Volume:
    """The root certificate that istiod publishes in every namespace, or as a ClusterTrustBundle."""
    setting = inputs.setting
    # as text, whether the values have a boolean or the text of one
    bundled = equal(join(setting(f"pilot.env.{TRUST_BUNDLES}")), "true")
    named = setting("global.trustBundleName")
    bundle: Node = {"name": join("istio.io:istiod-ca:", coalesce(named, "root-cert")), "path": "root-cert.pem"}
    return Volume(
        name="istiod-ca-cert",
        source={
            "projected": when(bundled, {"sources": [{"clusterTrustBundle": bundle}]}),
            "configMap": when(negate(bundled), {"name": coalesce(named, "istio-ca-root-cert")}),
        },
        path=f"{_SECRETS}/istio",
        needed=needed,
    )


def signed_by_istiod(inputs: Inputs) -> Value:
    """Whether istiod, or whoever signs for it, publishes the root certificate."""
    return equal(inputs.setting("global.pilotCertProvider"), "istiod")


class Volumes:
    """The volumes of injected pods and their mounts, in the orders in which Istio lists them."""

    def __init__(self, inputs: Inputs) -> None:
        setting = inputs.setting
        self._inputs = inputs
        self._token = token(setting("global.sds.token.aud"))
        self._root = root_certificate(inputs, signed_by_istiod(inputs))
        self._revoked = Volume(
            name="istio-ca-crl",
            source={
                "configMap": {"name": coalesce(setting("pilot.crlConfigMapName"), "istio-ca-crl"), "optional": True}
            },
            path=f"{_SECRETS}/istio/crl",
        )
        self._bootstrap = additions.bootstrap_volume(inputs)
        self._secret = additions.certificates(inputs)
        self._tracer = additions.tracer_volume(inputs)

    def of_sidecar(self) -> list[Node]:
        credentials = socket("credential-socket", "credential-uds", source=False)
        written = (WORKLOAD_SOCKET, credentials, *certificates(self._inputs, source=False), *self._common())
        listed = [volume.volume() for volume in (*written, self._revoked, self._secret)]
        return [*listed, additions.of_user(self._inputs, "userVolume"), self._tracer.volume()]

    def of_gateway(self) -> list[Node]:
        written = (WORKLOAD_SOCKET, CREDENTIAL_SOCKET, *certificates(self._inputs, source=True), *self._common())
        return [volume.volume() for volume in (*written, self._secret)]

    def _common(self) -> tuple[Volume, ...]:
        return self._bootstrap, ENVOY, DATA_VOLUME, INFO, self._token, self._root

    def mounts_of_sidecar(self) -> list[Node]:
        revoked = when(signed_by_istiod(self._inputs), self._revoked.mount())
        mounts = [volume.mount() for volume in (*self._mounted_last(), self._tracer)]
        return [*self._mounted_first(), revoked, *mounts, additions.of_user(self._inputs, "userVolumeMount")]

    def mounts_of_gateway(self) -> list[Node]:
        return [*self._mounted_first(), *[volume.mount() for volume in self._mounted_last()]]

    def _mounted_first(self) -> list[Node]:
        sockets = (WORKLOAD_SOCKET, CREDENTIAL_SOCKET, *certificates(self._inputs, source=True))
        return [volume.mount() for volume in (*sockets, self._root)]

    def _mounted_last(self) -> tuple[Volume, ...]:
        return DATA_VOLUME, self._bootstrap, ENVOY, self._token, self._secret, INFO
