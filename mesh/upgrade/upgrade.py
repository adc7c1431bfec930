"""Finds what an upgrade changes in meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.merge import Data
from mesh.core.names import MeshNames
from mesh.releases.differences import Difference, order
from mesh.releases.release import Installation
from mesh.upgrade import rules
from mesh.upgrade.changes import Change, Place, gathered
from mesh.upgrade.subject import Proxy, Subject


def findings(
    objects: Sequence[Object],
    before: Installation,
    after: Installation,
    kubernetes: tuple[int, int] | None = None,
    proxies: Sequence[Proxy] = (),
) -> list[Change]:
    """What changes in meaning, or is refused, when another control plane replaces the present one; the worst first.

    `objects` are the objects of a stack as the older release makes them, or of a cluster. `after` is the new control
    plane with its values; `mesh.upgrade.settings.moved` makes one. `kubernetes` is the version of the cluster's
    Kubernetes, as (major, minor), if it is known. `proxies` are the running proxies that the upgrade does not replace.
    """
    domain = before.values.global_.proxy.clusterDomain
    names = MeshNames(root=before.config_root, home=before.root, domain=domain, release=before.release.name)
    mesh = Mesh(sorted(objects, key=lambda obj: obj.ref), names)
    subject = Subject(mesh=mesh, before=before, after=after, kubernetes=kubernetes, proxies=proxies)
    made = (rule(subject) for rule in rules.GENERAL)
    return gathered(chain(_differences(subject), chain.from_iterable(made)))


def _differences(subject: Subject) -> Iterator[Change]:
    for name, found in subject.after.release.differences.changed.items():
        if is_new(found.since, subject.before) and not _is_kept(found, subject.after):
            for hit in rules.BY_NAME[name](subject):
                yield _change(name, found, hit.place, dict(hit.words), subject.after)


def _change(name: str, found: Difference, place: Place, words: dict[str, str], after: Installation) -> Change:
    return Change(
        severity=found.severity,
        name=name,
        since=found.since,
        places=(place,),
        before=found.before.format(**words),
        after=found.after.format(**words),
        remedy=found.remedy.format(**words),
        source=found.source,
        kept=kept_by(found, after),
    )


def is_new(since: str, before: Installation) -> bool:
    """Whether the minor release `since` is newer than the installation, which then lacks its changes."""
    return order(since) > order(before.release.name)


def kept_by(found: Difference, after: Installation) -> str:
    """How the installation can keep the earlier behavior; empty if it cannot."""
    if not found.variable:
        return ""
    name, value = found.variable
    version = next(
        (version for version, data in after.release.profiles.changed.items() if name in _environment(data)), ""
    )
    compatible = f', or mesh:compatibilityVersion: "{version}"' if version else ""
    return f'to keep it for a while, mesh:pilot.env.{name}: "{value}"{compatible}'


def _environment(data: Data) -> Data:
    found: Data = data.get("pilot", {}).get("env", {})
    return found


def _is_kept(found: Difference, after: Installation) -> bool:
    """Whether the values keep the earlier behavior."""
    if not found.variable:
        return False
    name, value = found.variable
    return after.values.pilot.env.get(name) == value
