"""Random pairs of configs of `mesh:traffic`, whose second is a change of the first or another one altogether."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass
from typing import Any, Final

from tests.e2e.judge.dataplane import ADMIN, CALLERS, GATEWAY_PORTS, LABELS, PORT, ROOT, Manifest, custom

Config = dict[str, Any]

PATHS: Final = ("/a", "/a/*", "/a*", "/b/c", "/*", "/A/b")
REGEXES: Final = ("/a/[0-9]+", "/(a|b)/.*", "/[ab]", "(?i)/a.*")
VERSIONS: Final = ("v1", "v2", "v3")


@dataclass(frozen=True)
class Side:
    """One config, and the policies at the gateway beside it."""

    traffic: Config
    policies: tuple[Manifest, ...]


@dataclass(frozen=True)
class Pair:
    """Two configs with the same names."""

    token: str
    """The namespace of the pair, which is part of every name of a host."""
    old: Side
    new: Side

    @property
    def ports(self) -> tuple[int, int, int]:
        """The ports that the pair alone has."""
        return ports_of(self.token)


def ports_of(token: str) -> tuple[int, int, int]:
    """The ports of `store` and `vault`, and that of the gateway for TCP. Each pair has its own: connections of TCP name
    no host. The gateway's differs from that of `store`, as a caller reaches only one of two services with a port."""
    number = int(token[1:-1])
    return 20000 + number, 10000 + number, 30000 + number


class Draw:
    """Draws with one random source. `later`: also what the oldest release does not have."""

    def __init__(self, seed: str, later: bool) -> None:
        self._random, self._later = random.Random(seed), later

    def pair(self, number: int) -> Pair:
        token = f"p{number:05d}x"
        old = Side(self._traffic(token), self._policies(token))
        if self._chance(0.2):
            return Pair(token, old, Side(self._traffic(token), self._policies(token)))
        new = Side(copy.deepcopy(old.traffic), old.policies if self._chance(0.7) else self._policies(token))
        for _ in range(self._random.randint(1, 3)):
            self._alter(new.traffic, token)
        return Pair(token, old, new)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _one(self, among: Any) -> Any:
        return self._random.choice(list(among))

    def _some(self, most: int) -> range:
        return range(self._random.randint(0, most))

    def _traffic(self, token: str) -> Config:
        services = {
            "reviews": {"versions": list(VERSIONS), **self._service()},
            "ratings": {"versions": ["v1"], "route": "v1", **self._actions()},
            "cart": {"versions": ["v1", "v2"], "balancing": "RANDOM"},
            **({"store": self._connected("TCP")} if self._chance(0.4) else {}),
            **({"vault": self._connected("TLS", token)} if self._chance(0.4) else {}),
        }
        hosts = {"site": {"hosts": self._hosts(token), "routes": self._routes(token)}}
        if self._chance(0.3):
            hosts["wide"] = {"hosts": [f"*.a.{token}.example.com"], "routes": self._routes(token)}
        if self._chance(0.3):
            hosts["raw"] = {
                "hosts": ["*"],
                "protocol": "TCP",
                "port": ports_of(token)[0],
                "routes": [self._to("store")],
            }
        if self._later and self._chance(0.3):
            tls = {"endsAt": "loadBalancer", "redirect": self._chance(0.7)}
            hosts["balanced"] = {"hosts": [f"lb.{token}.example.com"], "tls": tls, "routes": self._routes(token)}
        if self._chance(0.3):
            names = self._one([[f"sni.{token}.example.com"], [f"*.sni.{token}.example.com"]])
            hosts["sni"] = {"hosts": names, "tls": {"mode": "PASSTHROUGH"}, "routes": [self._to("vault")]}
        outside = {"hosts": [f"api.{token}.example.org"], "protocol": "HTTP", "port": PORT}
        return {"services": services, "hosts": hosts, **({"egress": {"api": outside}} if self._chance(0.4) else {})}

    def _to(self, service: str) -> Config:
        """A route of connections, to one version, all, or weights."""
        if self._chance(0.4):
            weight = self._one([10, 50, 80])
            shares = {"v1": weight, "v2": 100 - weight}
            return {"to": [{"service": service, "version": name, "weight": one} for name, one in shares.items()]}
        return {"to": {"service": service, **self._one([{}, {"version": "v1"}, {"version": "v2"}])}}

    def _connected(self, protocol: str, token: str = "") -> Config:
        """A service whose connections are routed: by caller, port and server name."""
        rules = []
        for _ in self._some(2):
            kind = self._one(["caller", "labels", *(["name"] if token else ())])
            match = {"host": f"{self._one(['a', 'b'])}.vault.{token}.example.com"} if kind == "name" else None
            rules.append({"match": [match or self._condition(kind, token)], "route": self._one(["v1", "v2"])})
        weight = self._one([10, 50, 80])
        route = self._one([{}, {"route": "v1"}, {"route": {"v1": weight, "v2": 100 - weight}}])
        return {"versions": ["v1", "v2"], "protocol": protocol, "rules": rules, **route}

    def _hosts(self, token: str) -> list[str]:
        return [f"{token}.example.com", *([f"*.{token}.example.com"] if self._chance(0.4) else [])]

    def _service(self) -> Config:
        rules = [{"match": self._matches(True), **self._actions(), **self._route()} for _ in self._some(4)]
        return {"rules": rules, **self._actions(), **self._route()}

    def _route(self) -> Config:
        """No version, one, or weights."""
        match self._random.randint(0, 3):
            case 0:
                return {}
            case 1 | 2:
                return {"route": self._one(VERSIONS)}
        first, second = self._random.sample(VERSIONS, 2)
        weight = self._one([0, 10, 35, 50, 80])
        return {"route": {first: weight, second: 100 - weight}}

    def _routes(self, token: str) -> list[Config]:
        found = [self._gateway_route(token, {"match": self._matches(False, token)}) for _ in self._some(4)]
        return [*found, self._gateway_route(token, {})] if self._chance(0.7) or not found else found

    def _gateway_route(self, token: str, route: Config) -> Config:
        if self._chance(0.2):
            more = {"authority": f"moved.{token}.example.com"} if self._chance(0.5) else {}
            code = {"redirectCode": self._one([302, 307, 308])} if self._chance(0.5) else {}
            if self._later and self._chance(0.5):
                more |= self._one([{"scheme": "https"}, {"port": 8443}, {"derivePort": "FROM_REQUEST_PORT"}])
            return {
                **route,
                "redirect": {**({"uri": "/there"} if self._chance(0.7) or not more else {}), **more, **code},
            }
        to = {"service": "reviews", **self._version()}
        if self._chance(0.2):
            of_cart = {"service": "cart", "port": self._one([PORT, ADMIN]), **self._one([{}, {"version": "v1"}])}
            to = self._one([of_cart, {"service": "team"}])
        elif self._chance(0.3):
            weight = self._one([5, 30, 50])
            other = {"service": "ratings", "weight": 100 - weight}
            return {**route, **self._actions(), "to": [{**to, "weight": weight}, other]}
        return {**route, **self._actions(), "to": to}

    def _version(self) -> Config:
        return {"version": self._one(VERSIONS)} if self._chance(0.7) else {}

    def _actions(self) -> Config:
        found: Config = {}
        if self._chance(0.15):
            found["fault"] = {"abort": self._one([418, 429, 503]), "percent": self._one([10, 30, 60, 100, 0])}
        if self._chance(0.2):
            edit = {"uriRegexRewrite": {"match": "/a(/[^/]*)?", "rewrite": r"/n\1"}}
            ways = ["/n", {"authority": "other.example.com"}, {"uri": "/n", "authority": "other"}]
            found["rewrite"] = self._one([*ways, edit] if self._later else ways)
        if self._chance(0.15):
            operation = self._one([{"set": {"x-added": "1"}}, {"add": {"X-Added": "2"}}, {"remove": ["x-added"]}])
            found["headers"] = {"request": operation}
        if self._chance(0.1):
            found["timeout"] = "5s"
        if self._chance(0.1):
            found["retries"] = self._one([0, 1, 3])
        return found

    def _matches(self, inside: bool, token: str = "") -> list[Config]:
        return [self._match(inside, token) for _ in range(self._one([1, 1, 2]))]

    def _match(self, inside: bool, token: str) -> Config:
        kinds = ["path", "path", "regex", "header", "header", "user", "cookie", "without", "method", "query"]
        kinds += ["caller", "labels", "port"] if inside else ["host", *(["claim", "claim"] if self._later else ())]
        found: Config = {}
        for kind in self._random.sample(kinds, self._one([1, 1, 2, 3])):
            found |= self._condition(kind, token)
        return found

    def _condition(self, kind: str, token: str) -> Config:
        match kind:
            case "path":
                return {"path": self._one(PATHS), **({"ignoreCase": True} if self._chance(0.2) else {})}
            case "regex":
                return {"path": {"regex": self._one(REGEXES)}}
            case "header":
                conditions = ["true", "t*", "*", {"regex": "t.*|[0-9]+"}, {"regex": "true|yes"}]
                return {"headers": {self._one(["X-Canary", "x-canary", "x-other"]): self._one(conditions)}}
            case "user":
                return {"user": self._one(["jason", "anna", "ja*", {"regex": "[a-z]+"}])}
            case "cookie":
                return {"cookie": {self._one(["canary", "user"]): self._one(["always", "1.5"])}}
            case "without":
                # Envoys of today treat requests that lack the header as the oldest release does only where it is "*"
                conditions = ["*", "true", "t*", {"regex": "t.*|"}] if self._later else ["*"]
                return {"withoutHeaders": {self._one(["x-old", "X-Canary"]): self._one(conditions)}}
            case "claim":
                conditions = ["staff", "st*", {"regex": "staff|crew"}, {"regex": ".+"}]
                names = ["[group]", ".group", ".team.id", "[team][id]", "[sub]"]
                field = self._one(["headers", "headers", "withoutHeaders"])
                return {field: {f"@request.auth.claims{self._one(names)}": self._one(conditions)}}
            case "method":
                return {"method": self._one(["GET", "POST", "PUT"])}
            case "query":
                return {"queryParams": {self._one(["beta", "id"]): self._one(["1", {"regex": "[0-9]+"}])}}
            case "caller":
                return {"sourceNamespace": self._one(CALLERS)}
            case "labels":
                return {"sourceLabels": {"app": self._one(CALLERS.values())}}
            case "port":
                return {"port": self._one([PORT, 80])}
        return {"host": self._one([f"{token}.example.com", f"www.{token}*", {"regex": f"(www|m)[.]{token}.*"}])}

    def _alter(self, traffic: Config, token: str) -> None:
        """One small change: rules swapped, altered, added or removed, another default."""
        reviews, site = traffic["services"]["reviews"], traffic["hosts"]["site"]
        rules = self._one([reviews["rules"], site["routes"]])
        match self._random.randint(0, 5):
            case 0 if len(rules) > 2:
                rules[0], rules[1] = rules[1], rules[0]
            case 1 if len(rules) > 1:
                rules.pop(0)
            case 2 if rules and rules[0].get("match"):
                rules[0]["match"] = self._matches(rules is reviews["rules"], token)
            case 3:
                reviews |= {"route": self._one(VERSIONS)}
            case 4:
                site["routes"].insert(0, self._gateway_route(token, {"match": self._matches(False, token)}))
            case _:
                reviews["rules"].insert(0, {"match": self._matches(True), **self._actions(), **self._route()})

    def _policies(self, token: str) -> tuple[Manifest, ...]:
        """AuthorizationPolicies of the gateway for the pair's hosts; none for most pairs."""
        if self._chance(0.6):
            return ()
        hosts = [f"{token}.example.com", f"*.{token}.example.com"]
        found = []
        for action in self._random.sample(["ALLOW", "DENY"], self._one([1, 1, 2])):
            rules = [self._rule(hosts) for _ in range(self._one([1, 1, 2]))]
            spec = {"selector": {"matchLabels": LABELS}, "action": action, "rules": rules}
            found.append(custom("AuthorizationPolicy", f"{token}-{action.lower()}", ROOT, spec))
        return tuple(found)

    def _rule(self, hosts: list[str]) -> Manifest:
        operation: Manifest = {"hosts": hosts, "ports": [str(GATEWAY_PORTS[80])]}  # and so not of connections
        if self._chance(0.7):
            paths = ["/a*", "/a/1", "*/c", "/b/c", "a/*", *(["/a/{*}", "/{**}/c"] if self._later else ())]
            operation |= {self._one(["paths", "notPaths"]): self._random.sample(paths, 2)}
        if self._chance(0.4):
            operation |= {self._one(["methods", "notMethods"]): self._random.sample(["GET", "POST", "PUT"], 1)}
        values = {self._one(["values", "notValues"]): self._random.sample(["true", "t*", "*"], 1)}
        when = [{"key": "request.headers[X-Canary]", **values}] if self._chance(0.4) else []
        if self._chance(0.2):
            asked = {self._one(["values", "notValues"]): [self._one(["staff", "st*", "*ff", "*"])]}
            when.append({"key": self._one(["request.auth.claims[group]", "request.auth.claims[sub]"]), **asked})
        source = {}
        if self._chance(0.2):
            blocks = self._random.sample(["127.66.0.0/16", "127.66.1.7", "127.66.0.0/17"], self._one([1, 2]))
            source = {self._one(["ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks"]): blocks}
        elif self._chance(0.2):
            tokens = [self._one(["issuer/any", "issuer/*", "*/anna", "*"])]
            source = {self._one(["requestPrincipals", "notRequestPrincipals"]): tokens}
        return {
            "to": [{"operation": operation}],
            **({"from": [{"source": source}]} if source else {}),
            **({"when": when} if when else {}),
        }
