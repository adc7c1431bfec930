"""Makes sample requests that cover what the rules of two meshes distinguish.

For each host, there is a request for each rule, for each pair of rules that one request can meet, and one that meets no
rule; each from every kind of caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, islice
from typing import Final

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Ref
from mesh.requests import demands, places
from mesh.requests.demands import Shape
from mesh.requests.places import Found, Place
from mesh.requests.rules import Rule
from mesh.requests.texts import ADDRESS, AUTHORITY, METHOD, PATH, PRINCIPAL, SOMEBODY
from mesh.requests.types import PRINCIPAL_CLAIMS, Request

_PAIRED: Final = 40
"""The number of different rules of a host up to which there are samples for all pairs."""


@dataclass(frozen=True, kw_only=True, order=True)
class Sample:
    """A request and its source, in terms that apply to two meshes alike."""

    source: str
    """`namespace/name` of the workload that sends the request, or of the gateway at which it arrives."""
    outside: bool
    """Whether the request comes from outside, through a gateway."""
    host: str
    port: int
    secure: bool
    path: str = "/"
    """Path, with the query if there is one."""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    principal: str = ""
    """Request principal of the JSON Web Token, as issuer/subject; empty without a token."""
    claims: tuple[tuple[str, str], ...] = ()
    """Other claims of the token."""
    address: str = ""
    """IP address of the client; empty if no rule depends on it."""
    further: bool = field(default=False, compare=False)
    """Whether a plainer sample covers the same rules, with another value."""

    def __str__(self) -> str:
        way = "through" if self.outside else "from"
        return f"{self.method_prefix}{self.origin}{self.path}{self.suffix} {way} {self.source.partition('/')[2]}"

    @property
    def method_prefix(self) -> str:
        """The HTTP method and a space; empty for GET."""
        return "" if self.method == "GET" else f"{self.method} "

    @property
    def origin(self) -> str:
        """Scheme, host and port; scheme and port only if they are not the usual ones."""
        port = "" if self.port in (80, 443) else f":{self.port}"
        return f"{'https://' if self.secure else ''}{self.host}{port}"

    @property
    def suffix(self) -> str:
        """Headers, token and address as text, such as ` with end-user: jason`."""
        said = [f" with {name}: {value}" for name, value in self.headers]
        said += [f" with a token of {self.principal}"] if self.principal else []
        said += [f" with the claim {name}: {value}" for name, value in self.claims]
        return "".join([*said, f" from address {self.address}" if self.address else ""])

    @property
    def request(self) -> Request:
        return Request(
            host=self.host,
            port=self.port,
            secure=self.secure,
            path=self.path,
            method=self.method,
            headers=dict(self.headers),
            principal=self.principal,
            claims=dict(self.claims),
            address=self.address,
        )


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The samples of two meshes."""

    requests: Sequence[Sample]
    """Sorted, each once."""
    missing: Sequence[str]
    """The rules and pairs of rules without a sample, in words."""


def between(old: Mesh, new: Mesh) -> Samples:
    """The samples of two meshes: for each gateway the hosts that it serves, for each namespace the services that its
    workloads call. There are samples for pairs of rules if the rules of a host differ between the meshes."""
    targets: dict[Place, _Target] = {}
    for side, mesh in enumerate((old, new)):
        for found in places.of(mesh):
            targets.setdefault(found.place, _Target(found.place)).add(side, found)
    samples: dict[Sample, bool] = {}
    missing: dict[str, None] = {}
    gateways = [target for target in targets.values() if target.place.outside]
    for target in [*targets.values()]:
        target.join([one for one in gateways if one is not target and one.place.overlaps(target.place)])
    for target in targets.values():
        shapes, unknown = target.shapes()
        missing.update(dict.fromkeys(unknown))
        for sample in target.samples(shapes):
            samples[sample] = samples.get(sample, True) and sample.further
    requests = [
        sample if sample.further == further else replace(sample, further=further) for sample, further in samples.items()
    ]
    return Samples(requests=sorted(requests), missing=sorted(missing))


@dataclass
class _Target:
    """A place in two meshes."""

    place: Place
    sources: dict[str, None] = field(default_factory=dict)
    rules: dict[demands.Demand, str] = field(default_factory=dict)
    """The demands of all rules, each with a rule that has it."""
    bodies: tuple[dict[Ref, object], dict[Ref, object]] = field(default_factory=lambda: ({}, {}))
    """The objects of each mesh that decide about its requests."""
    own: list[Rule] = field(default_factory=list)
    own_bodies: tuple[dict[Ref, object], dict[Ref, object]] = field(default_factory=lambda: ({}, {}))
    """The rules and objects of this host itself, without those of hosts that overlap."""

    def add(self, side: int, found: Found) -> None:
        self.sources.update(dict.fromkeys(f"{pod.namespace}/{pod.object.name}" for pod in found.sources))
        bodies = {obj.ref: obj.spec for obj in found.objects}
        self.bodies[side].update(bodies)
        self.own_bodies[side].update(bodies)
        self.own += found.rules
        for rule in found.rules:
            self.rules.setdefault(rule.demand, rule.place)

    def join(self, wider: Sequence[_Target]) -> None:
        """Adds the rules of hosts that overlap with this one: in one of the meshes, these may decide."""
        for other in wider:
            for rule in other.own:
                self.rules.setdefault(rule.demand, rule.place)
            for own, more in zip(self.bodies, other.own_bodies, strict=True):
                own.update(more)

    def shapes(self) -> tuple[Sequence[tuple[Shape, bool]], Sequence[str]]:
        """The requests, each with whether a plainer one covers the same; and what no request was found for."""
        found: list[tuple[Shape, bool]] = []
        unknown: list[str] = []

        def ask(demand: demands.Demand) -> bool:
            solution = demands.solve((*demand, self.place.term), self.place.names)
            found.extend((shape, i > 0) for i, shape in enumerate(solution.shapes))
            return not solution.undecided

        ask(())
        changed, origin = self.bodies[0] != self.bodies[1], self.place.names[0]
        askable = []
        for demand, place in self.rules.items():
            asked = [ask(variant) for variant in demands.variants(demand)]
            if asked[0]:
                askable.append(demand)
            elif changed:
                unknown.append(f"{origin}, requests for {place}: nothing was found that its regular expression matches")
        pairs = list(combinations(askable, 2)) if changed else []
        if len(self.rules) > _PAIRED and pairs:
            unknown.append(f"{origin}, requests that meet several of its {len(self.rules)} rules")
            pairs = []
        for one, other in pairs:
            if not ask(demands.merged(one, other)):
                both = " and ".join(dict.fromkeys((self.rules[one], self.rules[other])))
                unknown.append(f"{origin}, requests that meet two conditions of {both} at once, if there are any")
        return [*found, *((shape, False) for shape in self._rest())], unknown

    def _rest(self) -> Iterator[Shape]:
        """A request that meets no rule; nothing if none was found."""
        rest = (shape for shape in demands.others() if not any(demands.meets(shape, one) for one in self.rules))
        yield from islice(rest, 1)

    def samples(self, shapes: Iterable[tuple[Shape, bool]]) -> Iterator[Sample]:
        for shape, further in shapes:
            for source in self.sources:
                yield self._sample(source, shape, further)

    def _sample(self, source: str, shape: Shape, further: bool) -> Sample:
        def named(kind: str) -> tuple[tuple[str, str], ...]:
            return tuple(sorted((part[1], value) for part, value in shape.values.items() if part[0] == kind))

        query = "&".join(f"{name}={value}" for name, value in named("query"))
        claims = named("claim")
        return Sample(
            source=source,
            outside=self.place.outside,
            host=(shape.get(AUTHORITY) or self.place.names[0]).partition(":")[0],
            port=self.place.port,
            secure=self.place.secure,
            path=f"{shape.get(PATH)}{f'?{query}' if query else ''}",
            method=shape.get(METHOD) or "GET",
            headers=named("header"),
            principal=_principal(shape.get(PRINCIPAL), claims),
            claims=tuple(one for one in claims if one[0] not in PRINCIPAL_CLAIMS),
            address=shape.get(ADDRESS) or "",
            further=further,
        )


def _principal(wanted: str | None, claims: Sequence[tuple[str, str]]) -> str:
    """The request principal of a token with some claims, which may be its issuer and its subject; empty without one."""
    if not (wanted or claims):
        return ""
    issuer, _, subject = (wanted or SOMEBODY).rpartition("/")
    return "/".join({"iss": issuer, "sub": subject, **dict(claims)}[name] for name in PRINCIPAL_CLAIMS)
