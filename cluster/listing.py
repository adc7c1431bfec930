"""All objects on a cluster of the kinds that the analysis of a mesh needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http.client import NOT_FOUND
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from cluster.client import Answer, Api, Request, ask_all
from mesh import api, releases
from mesh.core import kinds, pods
from mesh.core.kinds import GroupKind

Manifest = Mapping[str, Any]

_PAGE: Final = 500
"""The largest number of objects in one answer."""
_OF_KUBERNETES: Final = (*pods.TEMPLATES, kinds.NAMESPACE, kinds.SERVICE, kinds.HORIZONTAL_POD_AUTOSCALER)
_FIRST_GATEWAY_API: Final = ("Gateway", "HTTPRoute", "TCPRoute", "TLSRoute")
_OF_OTHERS: Final = (
    GroupKind("IstioOperator", "install.istio.io"),
    *(GroupKind(name, "networking.x-k8s.io") for name in _FIRST_GATEWAY_API),
)


class Listed(NamedTuple):
    """The objects of a cluster that could be read, and the kinds that could not."""

    objects: Sequence[Manifest]
    unread: Mapping[GroupKind, str]
    """The kinds whose objects could not all be read, each with the API server's message."""


class _Page(NamedTuple):
    """A page of a collection that is to be requested."""

    kind: GroupKind
    plural: str
    versions: Sequence[str]
    """The versions of the API; the first one that is served is requested."""
    token: str = ""
    """The API server's `continue` token of the page; empty for the first page."""

    @property
    def version(self) -> str:
        """`apiVersion`."""
        return "/".join(filter(None, (self.kind.group, self.versions[0])))

    @property
    def path(self) -> str:
        root = "apis" if self.kind.group else "api"
        begin = f"&continue={quote(self.token)}" if self.token else ""
        return f"/{root}/{self.version}/{self.plural}?limit={_PAGE}{begin}"

    def following(self, answer: Answer) -> _Page | None:
        """The page to request after an answer; None at the end of the collection."""
        if answer.code == NOT_FOUND and len(self.versions) > 1:
            return self._replace(versions=self.versions[1:])
        token = (answer.body.get("metadata") or {}).get("continue") if answer.ok else ""
        return self._replace(token=token) if token else None


def read(server: Api) -> Listed:
    """Reads the cluster, one page of each kind at a time. A kind that the API server does not serve has no objects.
    Raises Unreachable."""
    found: list[Manifest] = []
    unread: dict[GroupKind, str] = {}
    pages = [*_first_pages()]
    while pages:
        answers = ask_all(server, [Request("GET", page.path) for page in pages])
        for page, answer in zip(pages, answers, strict=True):
            same = {"apiVersion": page.version, "kind": page.kind.name}  # items of a list lack both fields
            found += ({**same, **one} for one in answer.body.get("items") or ())
            if not answer.ok and answer.code != NOT_FOUND:
                unread[page.kind] = answer.message
        further = (page.following(answer) for page, answer in zip(pages, answers, strict=True))
        pages = [page for page in further if page]
    return Listed(found, unread)


def _first_pages() -> Sequence[_Page]:
    return [
        *(_Page(kind, _plural(kind), ["v1"]) for kind in _OF_KUBERNETES),
        *(_Page(kind, _plural(kind), ["v1alpha1"]) for kind in _OF_OTHERS),
        *map(_of_istio, api.kinds()),
    ]


def _of_istio(kind: type[api.Kind]) -> _Page:
    """The first page of a kind of Istio's API, with its versions from the oldest release to the newest."""
    versions = dict.fromkeys(version for name in releases.NAMES for version in releases.get(name).api.of(kind))
    return _Page(kind.group_kind(), api.definition_name(kind).partition(".")[0], list(versions))


def _plural(kind: GroupKind) -> str:
    return f"{kind.name.lower()}s"
