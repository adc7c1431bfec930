"""The forms of objects: which types their fields have, as far as anything here reads them.

An object in another form is malformed. The API server refuses it, and no rule looks at it. Istio's kinds have the types
of `mesh.api`; those of Kubernetes that are read are described here. A `null` in a mapping is as good as no entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mesh import api
from mesh.api.mesh_config import MeshConfig
from mesh.core import kinds, validation
from mesh.core.errors import show
from mesh.core.kinds import GroupKind

TYPES: Final[Mapping[GroupKind, type[api.Kind]]] = {kind.group_kind(): kind for kind in api.Kind.__subclasses__()}
"""The types of Istio's kinds."""


Percentage = Annotated[str, Field(pattern="^[0-9]+%$")]


class Form(BaseModel):
    """The fields of a mapping that are read; it may have others."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)


class Metadata(Form):
    name: str
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Condition(Form):
    key: str
    operator: str
    values: list[str] = []


class Selector(Form):
    matchLabels: dict[str, str] = {}
    matchExpressions: list[Condition] = []


class ServicePort(Form):
    port: int
    name: str = ""
    protocol: str = ""
    appProtocol: str = ""
    targetPort: int | str = ""
    nodePort: int = 0


class ServiceSpec(Form):
    type: str = ""
    selector: dict[str, str] = {}
    ports: list[ServicePort] = []
    clusterIP: str = ""
    externalName: str = ""
    externalTrafficPolicy: str = ""


class ContainerPort(Form):
    containerPort: int
    name: str = ""
    protocol: str = ""


class SecurityContext(Form):
    runAsUser: int = 0


class ResourceAmounts(Form):
    requests: dict[str, str | int | float] = {}
    limits: dict[str, str | int | float] = {}


class EnvironmentVariable(Form):
    name: str
    value: str = ""


class Container(Form):
    name: str
    image: str = ""
    restartPolicy: str = ""
    args: list[str] = []
    command: list[str] = []
    env: list[EnvironmentVariable] = []
    ports: list[ContainerPort] = []
    resources: ResourceAmounts = ResourceAmounts()
    securityContext: SecurityContext = SecurityContext()
    volumeMounts: list[dict[str, Any]] = []


class PodSpec(Form):
    containers: list[Container] = []
    initContainers: list[Container] = []
    hostNetwork: bool = False
    serviceAccountName: str = ""
    securityContext: SecurityContext = SecurityContext()
    volumes: list[dict[str, Any]] = []
    nodeSelector: dict[str, str] = {}


class TemplateMetadata(Form):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class PodTemplate(Form):
    metadata: TemplateMetadata = TemplateMetadata()
    spec: PodSpec = PodSpec()


class WorkloadSpec(Form):
    replicas: int = 1
    selector: Selector = Selector()
    template: PodTemplate = PodTemplate()


class JobTemplate(Form):
    spec: WorkloadSpec = WorkloadSpec()


class CronJobSpec(Form):
    jobTemplate: JobTemplate = JobTemplate()


class BudgetSpec(Form):
    minAvailable: int | Percentage = 0
    maxUnavailable: int | Percentage = 0
    selector: Selector = Selector()


class ScaleTarget(Form):
    kind: str = ""
    name: str = ""


class ScalerSpec(Form):
    minReplicas: int = 1
    maxReplicas: int = 1
    scaleTargetRef: ScaleTarget = ScaleTarget()


class WebhookService(Form):
    name: str
    namespace: str
    path: str = ""
    port: int = 443


class WebhookClient(Form):
    service: WebhookService | None = None
    url: str = ""
    caBundle: str = ""


class Webhook(Form):
    name: str
    clientConfig: WebhookClient = WebhookClient()
    namespaceSelector: Selector = Selector()
    objectSelector: Selector = Selector()
    rules: list[dict[str, Any]] = []
    failurePolicy: str = ""


class WithService(Form):
    spec: ServiceSpec = ServiceSpec()


class WithPod(Form):
    spec: PodSpec = PodSpec()


class WithTemplate(Form):
    spec: WorkloadSpec = WorkloadSpec()


class WithJob(Form):
    spec: CronJobSpec = CronJobSpec()


class WithBudget(Form):
    spec: BudgetSpec = BudgetSpec()


class WithScaler(Form):
    spec: ScalerSpec = ScalerSpec()


class WithWebhooks(Form):
    webhooks: list[Webhook] = []


class WithTexts(Form):
    data: dict[str, str] = {}
    stringData: dict[str, str] = {}


class WithSpec(Form):
    spec: dict[str, Any] = {}


_FORMS: Final[Mapping[GroupKind, type[Form]]] = {
    kinds.SERVICE: WithService,
    kinds.POD: WithPod,
    **dict.fromkeys(kinds.POD_TEMPLATE_KINDS, WithTemplate),
    kinds.BY_NAME["CronJob"]: WithJob,
    kinds.POD_DISRUPTION_BUDGET: WithBudget,
    kinds.HORIZONTAL_POD_AUTOSCALER: WithScaler,
    kinds.MUTATING_WEBHOOK: WithWebhooks,
    kinds.VALIDATING_WEBHOOK: WithWebhooks,
    kinds.CONFIG_MAP: WithTexts,
    kinds.SECRET: WithTexts,
    kinds.NETWORK_POLICY: WithSpec,
}
"""What is read of Kubernetes' own kinds."""


def without_nulls(value: Any) -> Any:
    """A value without the entries of mappings that are null; the same object if there are none."""
    if isinstance(value, dict):
        kept = {key: without_nulls(item) for key, item in value.items() if item is not None}
        changed = len(kept) < len(value) or any(kept[key] is not value[key] for key in kept)
        return kept if changed else value
    if isinstance(value, list):
        items = [without_nulls(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


_UNKNOWN: Final = ": unknown field"


class Read(NamedTuple):
    """What an object says, as far as its form lets one read it."""

    body: Mapping[str, Any]
    """The object without nulls and unknown fields, as the API server keeps it."""
    problems: Sequence[str]
    """What the types refuse, `<path>: <problem>`; paths are those in the spec, or else in the object."""
    malformed: bool
    """Whether a field has the wrong type or is missing, so that nobody can tell what is meant."""
    message: api.Kind | None = None
    """The spec of an object of Istio's API without unknown fields; None of other kinds, and if it is refused."""
    refused: bool = False
    """Whether the types refuse more than unknown fields."""


def read(kind: GroupKind, body: Mapping[str, Any]) -> Read:
    """Reads an object. Of a kind that nobody reads only the metadata counts."""
    found = _problems(Metadata, without_nulls(body.get("metadata")), "metadata.")
    if kind in TYPES:
        return _of_istio(kind, without_nulls(body), found)
    if kind in _FORMS:
        body = without_nulls(body)
        found += _problems(_FORMS[kind], body, "")
    return Read(body, found, malformed=bool(found), refused=bool(found))


def _of_istio(kind: GroupKind, body: Mapping[str, Any], found: list[str]) -> Read:
    spec, message, malformed = body.get("spec", {}), None, bool(found)
    if not isinstance(spec, Mapping):
        return Read(body, [*found, *_problems(WithSpec, body, "")], malformed=True, refused=True)
    misspelt: list[str] = []
    unread = True
    while unread:
        unread = False
        try:
            message = TYPES[kind].from_wire(spec)
        except api.ApiError as error:
            texts = [text.removeprefix(kind.name).strip() for text in error.problems]
            # what a message lacks that has an unknown field is what the field was to be
            found += (text for text in texts if not text.startswith(tuple(misspelt)))
            malformed = malformed or error.malformed
            for path in error.unknown:
                spec, unread = _without(spec, path), True
            misspelt += (text.partition(_UNKNOWN)[0] for text in texts if _UNKNOWN in text)
    kept = body if spec is body.get("spec", spec) else {**body, "spec": spec}
    refused = malformed or not message or len(found) > len(misspelt)
    return Read(kept, found, malformed, None if refused else message, refused)


def mesh_config(text: str) -> tuple[Mapping[str, Any], list[str]]:
    """The MeshConfig in its ConfigMap, and why it cannot be read; one that cannot be is empty."""
    try:
        found = yaml.load(text, Loader=yaml.CSafeLoader) or {}
    except yaml.YAMLError as error:
        return {}, [f"no YAML: {' '.join(str(error).split())}"]
    if not isinstance(found, dict):
        return {}, [f"expected a mapping, got {show(found)}"]
    found = without_nulls(found)
    try:
        MeshConfig.from_wire(found)
    except api.ApiError as error:
        if error.malformed:
            return {}, error.problems
    return found, []


def _without(value: Any, path: Sequence[str | int]) -> Any:
    """A value without the field at a path, which may have steps that stand for types."""
    step, *rest = path
    if isinstance(value, Mapping) and step in value:
        kept = {key: item for key, item in value.items() if key != step}
        return {**kept, step: _without(value[step], rest)} if rest else kept
    if isinstance(value, list) and isinstance(step, int):
        return [_without(item, rest) if i == step else item for i, item in enumerate(value)]
    return _without(value, rest) if rest else value


def _problems(form: type[Form], value: Any, root: str) -> list[str]:
    try:
        form.model_validate(value)
    except ValidationError as error:
        return [text.removeprefix("spec.") for text in validation.problems(error, form, root)]
    return []
