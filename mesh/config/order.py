"""The order of a stack's objects that come from its files, `mesh:traffic` and `mesh:security`."""

from __future__ import annotations

from mesh.analysis.objects import Ref
from mesh.apps.leaving import Objects
from mesh.apps.needs import Needs
from mesh.config.stack import Stack
from mesh.patches.patching import patched
from mesh.traffic import order


def needs(stack: Stack, standing: Objects) -> Needs:
    """Which objects need which others, whatever key they come from. `standing`: the stack's objects as its last update
    left them."""
    versions = stack.installation.api
    made = sorted((*stack.traffic, *stack.security), key=lambda item: item.late)
    manifests = (item.manifest(versions) for item in made)
    objects = {
        **{item.ref: item.body for item in stack.apps.objects},
        **{Ref.of(body): body for body in patched(manifests, stack.settings.patches)},
    }
    return Needs(objects, order.needs(made), standing, stack.settings.config_root)
