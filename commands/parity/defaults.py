"""Fields that an API server fills in: default values, values that the cluster assigns, and fields of other owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mesh.core.diff import ABSENT

DEFAULTS: Final[Mapping[str, Any]] = {
    # Services
    "Service.spec.type": "ClusterIP",
    "Service.spec.sessionAffinity": "None",
    "Service.spec.internalTrafficPolicy": "Cluster",
    "Service.spec.externalTrafficPolicy": "Cluster",
    "Service.spec.allocateLoadBalancerNodePorts": True,
    "ports.protocol": "TCP",
    # workloads
    "Deployment.spec.replicas": 1,
    "ReplicaSet.spec.replicas": 1,
    "ReplicationController.spec.replicas": 1,
    "Deployment.spec.progressDeadlineSeconds": 600,
    "Deployment.spec.strategy.type": "RollingUpdate",
    "Deployment.spec.strategy.rollingUpdate.maxSurge": "25%",
    "Deployment.spec.strategy.rollingUpdate.maxUnavailable": "25%",
    "DaemonSet.spec.updateStrategy.type": "RollingUpdate",
    "DaemonSet.spec.updateStrategy.rollingUpdate.maxSurge": 0,
    "DaemonSet.spec.updateStrategy.rollingUpdate.maxUnavailable": 1,
    "StatefulSet.spec.persistentVolumeClaimRetentionPolicy.whenDeleted": "Retain",
    "StatefulSet.spec.persistentVolumeClaimRetentionPolicy.whenScaled": "Retain",
    "StatefulSet.spec.podManagementPolicy": "OrderedReady",
    "StatefulSet.spec.replicas": 1,
    "StatefulSet.spec.updateStrategy.type": "RollingUpdate",
    "StatefulSet.spec.updateStrategy.rollingUpdate.partition": 0,
    "volumeClaimTemplates.apiVersion": "v1",
    "volumeClaimTemplates.kind": "PersistentVolumeClaim",
    "volumeClaimTemplates.spec.volumeMode": "Filesystem",
    "spec.revisionHistoryLimit": 10,
    "Job.spec.backoffLimit": 6,
    "Job.spec.completionMode": "NonIndexed",
    "Job.spec.manualSelector": False,
    "Job.spec.parallelism": 1,
    "Job.spec.suspend": False,
    "CronJob.spec.concurrencyPolicy": "Allow",
    "CronJob.spec.failedJobsHistoryLimit": 1,
    "CronJob.spec.successfulJobsHistoryLimit": 3,
    "CronJob.spec.suspend": False,
    # pods
    "template.spec.dnsPolicy": "ClusterFirst",
    "template.spec.enableServiceLinks": True,
    "template.spec.hostNetwork": False,
    "template.spec.preemptionPolicy": "PreemptLowerPriority",
    "template.spec.restartPolicy": "Always",
    "template.spec.schedulerName": "default-scheduler",
    "template.spec.terminationGracePeriodSeconds": 30,
    "Pod.template.spec.serviceAccountName": "default",
    "volumeClaimTemplate.spec.volumeMode": "Filesystem",
    "volumes.configMap.defaultMode": 0o644,
    "volumes.secret.defaultMode": 0o644,
    "volumes.downwardAPI.defaultMode": 0o644,
    "volumes.projected.defaultMode": 0o644,
    "sources.serviceAccountToken.expirationSeconds": 3600,
    "volumeMounts.readOnly": False,
    "containers.terminationMessagePath": "/dev/termination-log",
    "containers.terminationMessagePolicy": "File",
    "fieldRef.apiVersion": "v1",
    "resourceFieldRef.divisor": "0",
    "httpGet.scheme": "HTTP",
    "Probe.initialDelaySeconds": 0,
    "Probe.timeoutSeconds": 1,
    "Probe.periodSeconds": 10,
    "Probe.successThreshold": 1,
    "Probe.failureThreshold": 3,
    # the rest
    "roleRef.apiGroup": "rbac.authorization.k8s.io",
    "Secret.type": "Opaque",
    "PersistentVolume.spec.persistentVolumeReclaimPolicy": "Retain",
    "PersistentVolume.spec.volumeMode": "Filesystem",
    "PersistentVolumeClaim.spec.volumeMode": "Filesystem",
    "PriorityClass.preemptionPolicy": "PreemptLowerPriority",
    "StorageClass.reclaimPolicy": "Delete",
    "StorageClass.volumeBindingMode": "Immediate",
    "HorizontalPodAutoscaler.spec.minReplicas": 1,
    "webhooks.clientConfig.service.port": 443,
    "webhooks.failurePolicy": "Fail",
    "webhooks.matchPolicy": "Equivalent",
    "webhooks.reinvocationPolicy": "Never",
    "webhooks.rules.scope": "*",
    "webhooks.timeoutSeconds": 10,
    "CustomResourceDefinition.spec.conversion.strategy": "None",
    "CustomResourceDefinition.spec.preserveUnknownFields": False,
    "additionalPrinterColumns.priority": 0,
}
"""The default values, by the end of a field's path; a path begins with the object's kind and has no list indexes. A Pod
is its own template."""

ASSIGNED: Final = frozenset(
    (
        *("Service.spec.clusterIPs", "Service.spec.ipFamilies", "Service.spec.ipFamilyPolicy"),
        *("Service.spec.healthCheckNodePort", "Namespace.spec.finalizers", "ServiceAccount.secrets"),
        *("PersistentVolumeClaim.spec.volumeName", "PersistentVolumeClaim.spec.storageClassName"),
        *("PersistentVolume.spec.claimRef", "Ingress.spec.ingressClassName", "NetworkPolicy.spec.policyTypes"),
        *(
            "Pod.spec.nodeName",
            "Pod.spec.priority",
            "Pod.spec.imagePullSecrets",
            "HorizontalPodAutoscaler.spec.metrics",
        ),
        *("Job.spec.selector", "Job.spec.podReplacementPolicy", "Job.metadata.labels"),
        *("ReplicaSet.metadata.labels", "ReplicationController.metadata.labels", "ReplicationController.spec.selector"),
    )
)
"""Paths of fields that the cluster assigns if a manifest does not set them."""

OTHERS: Final = frozenset(
    (
        "MutatingWebhookConfiguration.webhooks.clientConfig.caBundle",
        "ValidatingWebhookConfiguration.webhooks.clientConfig.caBundle",
        "ValidatingWebhookConfiguration.webhooks.failurePolicy",
        "Deployment.spec.replicas",
        "Service.spec.clusterIP",
        "Service.spec.ports.nodePort",
        "Service.status.loadBalancer.ingress",
    )
)
"""Paths of fields that other owners set, if the stack does not set them. docs/readiness.md has them in a table."""

SCALED: Final = "Deployment.spec.replicas"
"""The path in OTHERS that applies only if the Deployment has an autoscaler."""


def default(path: Sequence[str]) -> Any:
    """The default value of the field at a path; ABSENT if it has none."""
    if path[0] == "Pod":
        path = ("Pod", "template", *path[1:])
    for start in range(len(path)):
        found = DEFAULTS.get(".".join(path[start:]), ABSENT)
        if found is not ABSENT:
            return found
    if len(path) > 1 and path[-2].endswith("Probe"):
        return DEFAULTS.get(f"Probe.{path[-1]}", ABSENT)
    return ABSENT
