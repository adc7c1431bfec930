"""Gateway: the ports, hosts and TLS settings of a gateway's proxies."""

from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen
from pydantic import AfterValidator, Field

from mesh.api.common import Port
from mesh.api.enforced import Enforced, at_most_one
from mesh.api.model import Findings, Kind, Message, Names, optional
from mesh.api.names import UNIX, Bind, host_in_namespace, is_label, whole_host
from mesh.core.protocols import is_http, is_tls

__all__ = ["Gateway", "Server", "ServerTLSSettings", "TLSCertificate"]

TLSProtocol = Literal["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]


def _served(text: str) -> str:
    whole_host(host_in_namespace(text, "*.") if "/" in text else text, ip=True)
    return text


class TLSCertificate(Message):
    """A certificate of a server, in files."""

    serverCertificate: str | None = optional("File with the certificate.")
    privateKey: str | None = optional("File with the key of the certificate.")
    caCertificates: str | None = optional("File with the authorities of clients' certificates; no proxy reads it here.")


class ServerTLSSettings(Message):
    """TLS settings of a server. Certificates come from a Secret or from files in the proxy's container."""

    enforced: ClassVar = (
        at_most_one("only one of credentialNames or tlsCertificates can be set", "tlsCertificates", "credentialNames"),
        at_most_one("only one of credentialName or credentialNames can be set", "credentialName", "credentialNames"),
        at_most_one("only one of credentialName or tlsCertificates can be set", "credentialNames", "tlsCertificates"),
    )

    httpsRedirect: bool | None = optional("Whether plain HTTP requests are sent to https by a redirect (301).")
    mode: Literal["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"] | None = (
        optional(
            "Left to the receiver (the default), ended here, ended here with client certificates, "
            "passed to the service that the server name encodes, or ended here with Istio's own certificates."
        )
    )
    serverCertificate: str | None = optional("File with the server's certificate, where there is no credentialName.")
    privateKey: str | None = optional(
        "File with the key of the server's certificate, where there is no credentialName."
    )
    caCertificates: str | None = optional("File with the authorities of clients' certificates; for mode MUTUAL.")
    credentialName: str | None = optional("Secret in the gateway's namespace with certificate and key.")
    credentialNames: Annotated[list[str], MinLen(1), Enforced(minItems=1, maxItems=2)] | None = optional(
        "Secrets as for credentialName, in place of it: one with an RSA key and one with an ECDSA key."
    )
    caCertCredentialName: str | None = optional(
        "Secret with the authorities of clients' certificates, in place of those in credentialName."
    )
    caCrl: str | None = optional("File with the list of revoked client certificates.")
    tlsCertificates: Annotated[list[TLSCertificate], MinLen(1), Enforced(minItems=1, maxItems=2)] | None = optional(
        "Certificates in files, in place of serverCertificate and privateKey: an RSA and an ECDSA one."
    )
    subjectAltNames: list[str] | None = optional("Names, one of which a client's certificate must have.")
    verifyCertificateSpki: list[str] | None = optional("SHA-256 of client certificates' public keys, in base64.")
    verifyCertificateHash: list[str] | None = optional("SHA-256 of client certificates, in hexadecimal digits.")
    minProtocolVersion: TLSProtocol | None = optional("Oldest version of TLS that is spoken.")
    maxProtocolVersion: TLSProtocol | None = optional("Newest version of TLS that is spoken.")
    cipherSuites: list[str] | None = optional("Cipher suites that are spoken; Envoy's own choice if not set.")

    @property
    def passes_through(self) -> bool:
        """Whether the gateway passes TLS connections through without terminating them."""
        return self.mode in (None, "PASSTHROUGH", "AUTO_PASSTHROUGH")

    def check(self) -> Findings:
        files = ["serverCertificate", "privateKey", "caCertificates"]
        given = [name for name in ("credentialName", "credentialNames", "tlsCertificates") if self.is_set(name)]
        if len(given) > 1:  # the API server counts an empty text, too
            yield (given[1],), f"cannot be set together with {given[0]}"
        sources = [name for name in given if getattr(self, name)]
        if self.caCrl and (self.credentialName or self.mode == "SIMPLE"):
            yield ("caCrl",), f"is not possible with {'credentialName' if self.credentialName else 'mode SIMPLE'}"
        if self.mode == "ISTIO_MUTUAL":
            for name in (*files, "credentialName", "credentialNames", "tlsCertificates"):
                if getattr(self, name):
                    yield (name,), "cannot be set in mode ISTIO_MUTUAL, which uses Istio's own certificates"
        elif sources:
            yield from self._check_certificates()
        elif self.mode in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"):
            for name in files[:2] if self.mode == "SIMPLE" else files:
                if not getattr(self, name):
                    yield (name,), f"is required in mode {self.mode} without credentialName"

    def _check_certificates(self) -> Findings:
        """Certificates in files must be whole."""
        if self.mode not in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL") or not self.tlsCertificates:
            return
        if self.mode != "SIMPLE" and not self.caCertificates:
            yield ("caCertificates",), f"is required in mode {self.mode} without credentialName"
        for i, certificate in enumerate(self.tlsCertificates):
            for name in ("serverCertificate", "privateKey"):
                if not getattr(certificate, name):
                    yield ("tlsCertificates", i, name), f"is required in mode {self.mode}"


class Server(Message):
    """A port on which the gateway listens, and the hosts that it serves there."""

    required: ClassVar = ("port", "hosts")

    port: Port = Field(description="The port; name and protocol are required.")
    bind: Bind | None = optional("Address or unix:// socket to listen on; all addresses if not set.")
    hosts: Annotated[list[Annotated[str, AfterValidator(_served)]], MinLen(1)] = Field(
        description="Hosts that are served: DNS names, *.example.com or *, each with an optional namespace/ in front."
    )
    tls: ServerTLSSettings | None = optional("TLS; required for the protocols HTTPS and TLS.")
    defaultEndpoint: str | None = optional("Not implemented by any proxy.")
    name: str | None = optional("Name of the server, used in its metrics.")

    def check(self) -> Findings:
        for name in ("name", "protocol"):
            if not getattr(self.port, name):
                yield ("port", name), "is required"
        if self.port.targetPort:
            yield ("port", "targetPort"), "is for service entries only"
        on_socket = (self.bind or "").startswith(UNIX)
        if bool(self.port.number) == on_socket:
            text = "must be 0 for a Unix domain socket" if on_socket else "must be in 1..65535"
            yield ("port", "number"), text
        yield from self._check_tls(self.port.protocol or "")

    def _check_tls(self, protocol: str) -> Findings:
        if is_tls(protocol):
            if not self.tls:
                yield ("tls",), f"is required for {protocol}"
        elif self.tls and not is_http(protocol):
            yield ("tls",), f"is not possible with {protocol}"
        elif self.tls and not self.tls.passes_through:
            yield ("tls", "mode"), f"{self.tls.mode} is not possible with {protocol}, which is plain text"
        elif self.tls:
            for name in ("serverCertificate", "privateKey", "caCertificates"):
                if getattr(self.tls, name):
                    yield ("tls", name), f"is not possible with {protocol}, which is plain text"


class Gateway(Kind):
    """What the proxies of a gateway listen on, and for which hosts. VirtualServices say where requests go."""

    required: ClassVar = ()

    names: ClassVar = Names(group="networking.istio.io", plural="gateways", short=("gw",))

    servers: Annotated[list[Server], MinLen(1)] = Field(description="Ports to listen on, and the hosts behind each.")
    selector: dict[str, str] | None = optional(
        "Labels of the gateway's pods, such as istio: ingressgateway; of every namespace unless istiod says otherwise."
    )

    def check(self) -> Findings:
        names = [server.port.name for server in self.servers]
        for i, name in enumerate(names):
            if name in names[:i]:
                yield ("servers", i, "port", "name"), f'"{name}" is the name of another server\'s port, too'

    def name_problem(self, name: str) -> str:
        return super().name_problem(name) or ("" if is_label(name) else "must not have dots, nor over 63 characters")
