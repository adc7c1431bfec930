"""The forms of Kubernetes' own objects: the types of the fields that this package reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from mesh.core import kinds
from mesh.core.kinds import GroupKind

Percentage = Annotated[str, Field(pattern="^[0-9]+%$")]


class Form(BaseModel):
    """A mapping with the fields that are read; other fields are ignored."""

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


class Reference(Form):
    name: str = ""


class PodSpec(Form):
    imagePullSecrets: list[Reference] = []
    serviceAccount: str = ""
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
    serviceName: str = ""
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


class Role(Form):
    kind: str
    name: str
    apiGroup: str = ""


class Subject(Form):
    kind: str
    name: str
    namespace: str = ""


class DefinedNames(Form):
    kind: str = ""
    plural: str = ""


class DefinitionSpec(Form):
    group: str = ""
    names: DefinedNames = DefinedNames()
    scope: str = ""


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


class WithRole(Form):
    roleRef: Role
    subjects: list[Subject] = []


class WithDefinition(Form):
    spec: DefinitionSpec = DefinitionSpec()


class WithTexts(Form):
    data: dict[str, str] = {}
    stringData: dict[str, str] = {}


class WithSpec(Form):
    spec: dict[str, Any] = {}


FORMS: Final[Mapping[GroupKind, type[Form]]] = {
    kinds.SERVICE: WithService,
    kinds.POD: WithPod,
    **dict.fromkeys((*kinds.POD_TEMPLATE_KINDS, kinds.REPLICATION_CONTROLLER), WithTemplate),
    kinds.CRON_JOB: WithJob,
    kinds.POD_DISRUPTION_BUDGET: WithBudget,
    kinds.HORIZONTAL_POD_AUTOSCALER: WithScaler,
    kinds.MUTATING_WEBHOOK: WithWebhooks,
    kinds.VALIDATING_WEBHOOK: WithWebhooks,
    kinds.CONFIG_MAP: WithTexts,
    kinds.SECRET: WithTexts,
    **dict.fromkeys((kinds.ROLE_BINDING, kinds.CLUSTER_ROLE_BINDING), WithRole),
    kinds.CUSTOM_RESOURCE_DEFINITION: WithDefinition,
    **dict.fromkeys((kinds.NETWORK_POLICY, kinds.INGRESS, kinds.PERSISTENT_VOLUME_CLAIM), WithSpec),
}
"""The form of each kind of Kubernetes' own that is read."""
