"""Draws Kubernetes objects of the common kinds, as people write them: with fields in many forms, and with what tools
leave in them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

Object = dict[str, Any]

QUANTITIES = {"cpu": ("100m", "1000m", "0.5", 1, "2"), "memory": ("128Mi", "1024Mi", "0.5Gi", "1e9", "512M")}
SECRET = "bm90IHRvIGJlIHNob3du"
"""The value of each Secret, in base64."""
LIMITS = {"cpu": (4, "4000m"), "memory": ("4Gi", "8192Mi")}


class Drawing:
    """Objects that refer to each other by the names in `names`."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._count, self._app = 0, ""

    def objects(self, count: int) -> Iterator[Object]:
        """As many objects, of all kinds in turn."""
        kinds: Sequence[Callable[[], tuple[str, str, Mapping[str, Any]]]] = (
            *(self._config_map, self._secret, self._account, self._service, self._deployment, self._stateful_set),
            *(self._daemon_set, self._job, self._cron_job, self._pod, self._role, self._binding, self._budget),
            *(self._scaler, self._policy, self._ingress, self._claim, self._route, self._rule),
        )
        for i in range(count):
            self._count = i // len(kinds)
            self._app = f"app-{i}"
            version, kind, content = kinds[i % len(kinds)]()
            yield {"apiVersion": version, "kind": kind, "metadata": self._metadata(), **content}

    @property
    def _name(self) -> str:
        return f"drawn-{self._count}"

    def _one(self, *values: Any) -> Any:
        return self._random.choice(values)

    def _some(self, **fields: Any) -> dict[str, Any]:
        """Some of the fields."""
        return {name: value for name, value in fields.items() if self._random.random() < 0.5}

    def _metadata(self) -> Object:
        left = {"creationTimestamp": None, "resourceVersion": "12", "generation": 4, "uid": "00000000-0000"}
        notes = {
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "example.com/note": self._one("", "a: b", "1"),
        }
        given = self._some(annotations=notes, labels={"example.com/a": self._one("", "b")}, **left)
        return {"name": self._name, **given}

    def _labels(self) -> dict[str, str]:
        """Labels of pods; each workload has its own, since one would else take those of others for its own."""
        return {"app": self._app}

    def _resources(self) -> Object:
        asked = {name: self._one(*forms) for name, forms in QUANTITIES.items()}
        limits = {name: self._one(*forms) for name, forms in LIMITS.items()}
        return self._some(requests=asked, limits=limits)

    def _template(self, **more: Any) -> Object:
        container = {
            "name": "main",
            "image": self._one("nginx", "registry.example/a:1.2", "b@sha256:" + "0" * 64),
            "resources": self._resources(),
            **self._some(
                command=["run", "--port=80"],
                args=None,
                env=[{"name": "A", "value": self._one("", "1", "a")}, {"name": "B", "value": "$(A)"}],
                ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP", "name": "dns"}],
                readinessProbe={"httpGet": {"path": "/", "port": self._one(80, "http")}, "periodSeconds": 5},
                securityContext=self._one({}, {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}),
                imagePullPolicy="Always",
                volumeMounts=[{"name": "tmp", "mountPath": "/tmp"}],
            ),
        }
        volume = self._one({"emptyDir": {}}, {"emptyDir": {"sizeLimit": "1024Mi"}}, {"configMap": {"name": self._name}})
        spec = {
            "containers": [container],
            "volumes": [{"name": "tmp", **volume}],
            **self._some(
                serviceAccountName=self._name,
                nodeSelector=None,
                terminationGracePeriodSeconds=5,
                tolerations=[{"operator": "Exists", "key": "a", "effect": "NoSchedule"}],
                topologySpreadConstraints=[],
                securityContext={"fsGroup": 1},
            ),
            **more,
        }
        return {"metadata": {"labels": self._labels(), **self._some(creationTimestamp=None)}, "spec": spec}

    def _workload(self, **more: Any) -> Object:
        fields = self._some(minReadySeconds=1, revisionHistoryLimit=2)
        return {"selector": {"matchLabels": self._labels()}, "template": self._template(), **fields, **more}

    def _config_map(self) -> tuple[str, str, Object]:
        data = {"a": self._one("", "b\n", "1"), "b.yaml": "c: [1, 2]\n"}
        return "v1", "ConfigMap", {"data": data, **self._some(binaryData={"x": "AAEC"}, immutable=False)}

    def _secret(self) -> tuple[str, str, Object]:
        fields = self._one({"data": {"a": SECRET}}, {"stringData": {"a": b64decode(SECRET).decode()}})
        return "v1", "Secret", {**fields, **self._some(type="Opaque")}

    def _account(self) -> tuple[str, str, Object]:
        return (
            "v1",
            "ServiceAccount",
            self._some(automountServiceAccountToken=False, imagePullSecrets=[{"name": "pull"}]),
        )

    def _service(self) -> tuple[str, str, Object]:
        ports = [{"name": "http", "port": 80, **self._some(targetPort=self._one(80, "http"), protocol="TCP")}]
        spec = {"selector": self._labels(), "ports": ports, **self._some(clusterIP="None", sessionAffinity="None")}
        return "v1", "Service", {"spec": spec, **self._some(status={"loadBalancer": {}})}

    def _deployment(self) -> tuple[str, str, Object]:
        more = self._some(replicas=self._one(0, 1, 2), strategy=self._one({}, {"type": "Recreate"}))
        return "apps/v1", "Deployment", {"spec": self._workload(**more), **self._some(status={})}

    def _stateful_set(self) -> tuple[str, str, Object]:
        claim = {"metadata": {"name": "data", "creationTimestamp": None}, "spec": self._claimed()}
        return (
            "apps/v1",
            "StatefulSet",
            {"spec": self._workload(serviceName=self._name, **self._some(volumeClaimTemplates=[claim], replicas=1))},
        )

    def _daemon_set(self) -> tuple[str, str, Object]:
        return "apps/v1", "DaemonSet", {"spec": self._workload()}

    def _job(self) -> tuple[str, str, Object]:
        template = self._template(restartPolicy="Never")
        return "batch/v1", "Job", {"spec": {"template": template, **self._some(backoffLimit=2, completions=1)}}

    def _cron_job(self) -> tuple[str, str, Object]:
        job = {"spec": {"template": self._template(restartPolicy="OnFailure")}}
        fields = self._some(suspend=True, concurrencyPolicy="Forbid", successfulJobsHistoryLimit=1)
        return "batch/v1", "CronJob", {"spec": {"schedule": "0 3 * * *", "jobTemplate": job, **fields}}

    def _pod(self) -> tuple[str, str, Object]:
        return "v1", "Pod", {"spec": self._template()["spec"]}

    def _role(self) -> tuple[str, str, Object]:
        rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
        return "rbac.authorization.k8s.io/v1", "Role", {"rules": [rule]}

    def _binding(self) -> tuple[str, str, Object]:
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": self._name}
        subject = {"kind": "ServiceAccount", "name": self._name, "namespace": "shop"}
        return "rbac.authorization.k8s.io/v1", "RoleBinding", {"roleRef": role, "subjects": [subject]}

    def _budget(self) -> tuple[str, str, Object]:
        least = self._one({"minAvailable": 1}, {"maxUnavailable": "50%"})
        return "policy/v1", "PodDisruptionBudget", {"spec": {"selector": {"matchLabels": self._labels()}, **least}}

    def _scaler(self) -> tuple[str, str, Object]:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": self._name}
        usage = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
        metrics = [{"type": "Resource", "resource": usage}]
        spec = {"scaleTargetRef": target, "maxReplicas": 3, **self._some(minReplicas=1, metrics=metrics)}
        return "autoscaling/v2", "HorizontalPodAutoscaler", {"spec": spec}

    def _policy(self) -> tuple[str, str, Object]:
        rule = {"from": [{"podSelector": {}}], "ports": [{"port": 80, **self._some(protocol="TCP")}]}
        return (
            "networking.k8s.io/v1",
            "NetworkPolicy",
            {"spec": {"podSelector": self._one({}, {"matchLabels": self._labels()}), "ingress": [rule]}},
        )

    def _ingress(self) -> tuple[str, str, Object]:
        backend = {"service": {"name": self._name, "port": self._one({"number": 80}, {"name": "http"})}}
        path = {"path": "/", "pathType": "Prefix", "backend": backend}
        return (
            "networking.k8s.io/v1",
            "Ingress",
            {"spec": {"rules": [{"host": f"{self._name}.example.com", "http": {"paths": [path]}}]}},
        )

    def _claimed(self) -> Object:
        amount = {"requests": {"storage": self._one("1Gi", "1024Mi", "1e9")}}
        return {"accessModes": ["ReadWriteOnce"], "resources": amount, **self._some(storageClassName="")}

    def _claim(self) -> tuple[str, str, Object]:
        return "v1", "PersistentVolumeClaim", {"spec": self._claimed()}

    def _route(self) -> tuple[str, str, Object]:
        route = {"destination": {"host": self._name, "port": {"number": 80}}, **self._some(weight=100)}
        http = {"route": [route], **self._some(timeout=self._one("5s", "1m"), retries={"attempts": 2})}
        return (
            f"networking.istio.io/{self._one('v1alpha3', 'v1beta1')}",
            "VirtualService",
            {"spec": {"hosts": [self._name], "http": [http]}},
        )

    def _rule(self) -> tuple[str, str, Object]:
        pool = {"http": {"http1MaxPendingRequests": self._one(1, 1024)}}
        spec = {"host": f"{self._name}.shop.svc.cluster.local", **self._some(trafficPolicy={"connectionPool": pool})}
        return "networking.istio.io/v1beta1", "DestinationRule", {"spec": spec}
