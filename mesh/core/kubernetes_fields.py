"""The fields of Kubernetes' types that settings take over unchanged, with their types.

Each field is `name:type`. `!` marks those that Kubernetes requires, `[]` lists and `{}` maps. `quantity` is a text or a
number, `int|str` a number or a text, such as a port's name. A test compares all with the provider's types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FIELDS: Final[Mapping[str, str]] = {
    "AWSElasticBlockStoreVolumeSource": "fsType:str partition:int readOnly:bool volumeID!:str",
    "AppArmorProfile": "localhostProfile:str type!:str",
    "AzureDiskVolumeSource": "cachingMode:str diskName!:str diskURI!:str fsType:str kind:str readOnly:bool",
    "AzureFileVolumeSource": "readOnly:bool secretName!:str shareName!:str",
    "CSIVolumeSource": (
        "driver!:str fsType:str nodePublishSecretRef:LocalObjectReference readOnly:bool volumeAttributes:str{}"
    ),
    "Capabilities": "add:str[] drop:str[]",
    "CephFSVolumeSource": (
        "monitors!:str[] path:str readOnly:bool secretFile:str secretRef:LocalObjectReference user:str"
    ),
    "CinderVolumeSource": "fsType:str readOnly:bool secretRef:LocalObjectReference volumeID!:str",
    "ClientIPConfig": "timeoutSeconds:int",
    "ClusterTrustBundleProjection": "labelSelector:LabelSelector name:str optional:bool path!:str signerName:str",
    "ConfigMapEnvSource": "name:str optional:bool",
    "ConfigMapKeySelector": "key!:str name:str optional:bool",
    "ConfigMapProjection": "items:KeyToPath[] name:str optional:bool",
    "ConfigMapVolumeSource": "defaultMode:int items:KeyToPath[] name:str optional:bool",
    "Container": (
        "args:str[] command:str[] env:EnvVar[] envFrom:EnvFromSource[] image:str imagePullPolicy:str "
        "lifecycle:Lifecycle livenessProbe:Probe name!:str ports:ContainerPort[] readinessProbe:Probe "
        "resizePolicy:ContainerResizePolicy[] resources:ResourceRequirements restartPolicy:str "
        "securityContext:SecurityContext startupProbe:Probe stdin:bool stdinOnce:bool terminationMessagePath:str "
        "terminationMessagePolicy:str tty:bool volumeDevices:VolumeDevice[] volumeMounts:VolumeMount[] workingDir:str"
    ),
    "ContainerPort": "containerPort!:int hostIP:str hostPort:int name:str protocol:str",
    "ContainerResizePolicy": "resourceName!:str restartPolicy!:str",
    "ContainerResourceMetricSource": "container!:str name!:str target!:MetricTarget",
    "CrossVersionObjectReference": "apiVersion:str kind!:str name!:str",
    "DeploymentStrategy": "rollingUpdate:RollingUpdateDeployment type:str",
    "DownwardAPIProjection": "items:DownwardAPIVolumeFile[]",
    "DownwardAPIVolumeFile": "fieldRef:ObjectFieldSelector mode:int path!:str resourceFieldRef:ResourceFieldSelector",
    "DownwardAPIVolumeSource": "defaultMode:int items:DownwardAPIVolumeFile[]",
    "EmptyDirVolumeSource": "medium:str sizeLimit:quantity",
    "EnvFromSource": "configMapRef:ConfigMapEnvSource prefix:str secretRef:SecretEnvSource",
    "EnvVar": "name!:str value:str valueFrom:EnvVarSource",
    "EnvVarSource": (
        "configMapKeyRef:ConfigMapKeySelector fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector "
        "secretKeyRef:SecretKeySelector"
    ),
    "EphemeralVolumeSource": "readOnly:bool volumeClaimTemplate:PersistentVolumeClaimTemplate",
    "ExecAction": "command:str[]",
    "ExternalMetricSource": "metric!:MetricIdentifier target!:MetricTarget",
    "FCVolumeSource": "fsType:str lun:int readOnly:bool targetWWNs:str[] wwids:str[]",
    "FlexVolumeSource": "driver!:str fsType:str options:str{} readOnly:bool secretRef:LocalObjectReference",
    "FlockerVolumeSource": "datasetName:str datasetUUID:str",
    "GCEPersistentDiskVolumeSource": "fsType:str partition:int pdName!:str readOnly:bool",
    "GRPCAction": "port!:int service:str",
    "GitRepoVolumeSource": "directory:str repository!:str revision:str",
    "GlusterfsVolumeSource": "endpoints!:str path!:str readOnly:bool",
    "HPAScalingPolicy": "periodSeconds!:int type!:str value!:int",
    "HPAScalingRules": (
        "policies:HPAScalingPolicy[] selectPolicy:str stabilizationWindowSeconds:int tolerance:quantity"
    ),
    "HTTPGetAction": "host:str httpHeaders:HTTPHeader[] path:str port!:int|str scheme:str",
    "HTTPHeader": "name!:str value!:str",
    "HorizontalPodAutoscalerBehavior": "scaleDown:HPAScalingRules scaleUp:HPAScalingRules",
    "HorizontalPodAutoscalerSpec": (
        "behavior:HorizontalPodAutoscalerBehavior maxReplicas!:int metrics:MetricSpec[] minReplicas:int "
        "scaleTargetRef!:CrossVersionObjectReference"
    ),
    "HostPathVolumeSource": "path!:str type:str",
    "ISCSIVolumeSource": (
        "chapAuthDiscovery:bool chapAuthSession:bool fsType:str initiatorName:str iqn!:str iscsiInterface:str "
        "lun!:int portals:str[] readOnly:bool secretRef:LocalObjectReference targetPortal!:str"
    ),
    "ImageVolumeSource": "pullPolicy:str reference:str",
    "KeyToPath": "key!:str mode:int path!:str",
    "LabelSelector": "matchExpressions:LabelSelectorRequirement[] matchLabels:str{}",
    "LabelSelectorRequirement": "key!:str operator!:str values:str[]",
    "Lifecycle": "postStart:LifecycleHandler preStop:LifecycleHandler stopSignal:str",
    "LifecycleHandler": "exec:ExecAction httpGet:HTTPGetAction sleep:SleepAction tcpSocket:TCPSocketAction",
    "LocalObjectReference": "name:str",
    "ManagedFieldsEntry": (
        "apiVersion:str fieldsType:str fieldsV1:Any manager:str operation:str subresource:str time:str"
    ),
    "MetricIdentifier": "name!:str selector:LabelSelector",
    "MetricSpec": (
        "containerResource:ContainerResourceMetricSource external:ExternalMetricSource object:ObjectMetricSource "
        "pods:PodsMetricSource resource:ResourceMetricSource type!:str"
    ),
    "MetricTarget": "averageUtilization:int averageValue:quantity type!:str value:quantity",
    "NFSVolumeSource": "path!:str readOnly:bool server!:str",
    "ObjectFieldSelector": "apiVersion:str fieldPath!:str",
    "ObjectMeta": (
        "annotations:str{} clusterName:str creationTimestamp:str deletionGracePeriodSeconds:int deletionTimestamp:str "
        "finalizers:str[] generateName:str generation:int labels:str{} managedFields:ManagedFieldsEntry[] name:str "
        "namespace:str ownerReferences:OwnerReference[] resourceVersion:str selfLink:str uid:str"
    ),
    "ObjectMetricSource": "describedObject!:CrossVersionObjectReference metric!:MetricIdentifier target!:MetricTarget",
    "OwnerReference": "apiVersion!:str blockOwnerDeletion:bool controller:bool kind!:str name!:str uid!:str",
    "PersistentVolumeClaimSpec": (
        "accessModes:str[] dataSource:TypedLocalObjectReference dataSourceRef:TypedObjectReference "
        "resources:VolumeResourceRequirements selector:LabelSelector storageClassName:str "
        "volumeAttributesClassName:str volumeMode:str volumeName:str"
    ),
    "PersistentVolumeClaimTemplate": "metadata:ObjectMeta spec!:PersistentVolumeClaimSpec",
    "PersistentVolumeClaimVolumeSource": "claimName!:str readOnly:bool",
    "PhotonPersistentDiskVolumeSource": "fsType:str pdID!:str",
    "PodDNSConfig": "nameservers:str[] options:PodDNSConfigOption[] searches:str[]",
    "PodDNSConfigOption": "name:str value:str",
    "PodDisruptionBudgetSpec": (
        "maxUnavailable:int|str minAvailable:int|str selector:LabelSelector unhealthyPodEvictionPolicy:str"
    ),
    "PodSecurityContext": (
        "appArmorProfile:AppArmorProfile fsGroup:int fsGroupChangePolicy:str runAsGroup:int runAsNonRoot:bool "
        "runAsUser:int seLinuxChangePolicy:str seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile "
        "supplementalGroups:int[] supplementalGroupsPolicy:str sysctls:Sysctl[] "
        "windowsOptions:WindowsSecurityContextOptions"
    ),
    "PodsMetricSource": "metric!:MetricIdentifier target!:MetricTarget",
    "PortworxVolumeSource": "fsType:str readOnly:bool volumeID!:str",
    "Probe": (
        "exec:ExecAction failureThreshold:int grpc:GRPCAction httpGet:HTTPGetAction initialDelaySeconds:int "
        "periodSeconds:int successThreshold:int tcpSocket:TCPSocketAction terminationGracePeriodSeconds:int "
        "timeoutSeconds:int"
    ),
    "ProjectedVolumeSource": "defaultMode:int sources!:VolumeProjection[]",
    "QuobyteVolumeSource": "group:str readOnly:bool registry!:str tenant:str user:str volume!:str",
    "RBDVolumeSource": (
        "fsType:str image!:str keyring:str monitors!:str[] pool:str readOnly:bool secretRef:LocalObjectReference "
        "user:str"
    ),
    "ResourceClaim": "name!:str request:str",
    "ResourceFieldSelector": "containerName:str divisor:quantity resource!:str",
    "ResourceMetricSource": "name!:str target!:MetricTarget",
    "ResourceRequirements": "claims:ResourceClaim[] limits:quantity{} requests:quantity{}",
    "RollingUpdateDeployment": "maxSurge:int|str maxUnavailable:int|str",
    "SELinuxOptions": "level:str role:str type:str user:str",
    "ScaleIOVolumeSource": (
        "fsType:str gateway!:str protectionDomain:str readOnly:bool secretRef!:LocalObjectReference sslEnabled:bool "
        "storageMode:str storagePool:str system!:str volumeName:str"
    ),
    "SeccompProfile": "localhostProfile:str type!:str",
    "SecretEnvSource": "name:str optional:bool",
    "SecretKeySelector": "key!:str name:str optional:bool",
    "SecretProjection": "items:KeyToPath[] name:str optional:bool",
    "SecretVolumeSource": "defaultMode:int items:KeyToPath[] optional:bool secretName:str",
    "SecurityContext": (
        "allowPrivilegeEscalation:bool appArmorProfile:AppArmorProfile capabilities:Capabilities privileged:bool "
        "procMount:str readOnlyRootFilesystem:bool runAsGroup:int runAsNonRoot:bool runAsUser:int "
        "seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile windowsOptions:WindowsSecurityContextOptions"
    ),
    "ServiceAccountTokenProjection": "audience:str expirationSeconds:int path!:str",
    "ServicePort": "appProtocol:str name:str nodePort:int port!:int protocol:str targetPort:int|str",
    "ServiceSpec": (
        "allocateLoadBalancerNodePorts:bool clusterIP:str clusterIPs:str[] externalIPs:str[] externalName:str "
        "externalTrafficPolicy:str healthCheckNodePort:int internalTrafficPolicy:str ipFamilies:str[] ipFamily:str "
        "ipFamilyPolicy:str loadBalancerClass:str loadBalancerIP:str loadBalancerSourceRanges:str[] "
        "ports:ServicePort[] publishNotReadyAddresses:bool selector:str{} sessionAffinity:str "
        "sessionAffinityConfig:SessionAffinityConfig topologyKeys:str[] trafficDistribution:str type:str"
    ),
    "SessionAffinityConfig": "clientIP:ClientIPConfig",
    "SleepAction": "seconds!:int",
    "StorageOSVolumeSource": (
        "fsType:str readOnly:bool secretRef:LocalObjectReference volumeName:str volumeNamespace:str"
    ),
    "Sysctl": "name!:str value!:str",
    "TCPSocketAction": "host:str port!:int|str",
    "TopologySpreadConstraint": (
        "labelSelector:LabelSelector matchLabelKeys:str[] maxSkew!:int minDomains:int nodeAffinityPolicy:str "
        "nodeTaintsPolicy:str topologyKey!:str whenUnsatisfiable!:str"
    ),
    "TypedLocalObjectReference": "apiGroup:str kind!:str name!:str",
    "TypedObjectReference": "apiGroup:str kind!:str name!:str namespace:str",
    "Volume": (
        "awsElasticBlockStore:AWSElasticBlockStoreVolumeSource azureDisk:AzureDiskVolumeSource "
        "azureFile:AzureFileVolumeSource cephfs:CephFSVolumeSource cinder:CinderVolumeSource "
        "configMap:ConfigMapVolumeSource csi:CSIVolumeSource downwardAPI:DownwardAPIVolumeSource "
        "emptyDir:EmptyDirVolumeSource ephemeral:EphemeralVolumeSource fc:FCVolumeSource flexVolume:FlexVolumeSource "
        "flocker:FlockerVolumeSource gcePersistentDisk:GCEPersistentDiskVolumeSource gitRepo:GitRepoVolumeSource "
        "glusterfs:GlusterfsVolumeSource hostPath:HostPathVolumeSource image:ImageVolumeSource "
        "iscsi:ISCSIVolumeSource name!:str nfs:NFSVolumeSource "
        "persistentVolumeClaim:PersistentVolumeClaimVolumeSource "
        "photonPersistentDisk:PhotonPersistentDiskVolumeSource portworxVolume:PortworxVolumeSource "
        "projected:ProjectedVolumeSource quobyte:QuobyteVolumeSource rbd:RBDVolumeSource scaleIO:ScaleIOVolumeSource "
        "secret:SecretVolumeSource storageos:StorageOSVolumeSource vsphereVolume:VsphereVirtualDiskVolumeSource"
    ),
    "VolumeDevice": "devicePath!:str name!:str",
    "VolumeMount": (
        "mountPath!:str mountPropagation:str name!:str readOnly:bool recursiveReadOnly:str subPath:str subPathExpr:str"
    ),
    "VolumeProjection": (
        "clusterTrustBundle:ClusterTrustBundleProjection configMap:ConfigMapProjection "
        "downwardAPI:DownwardAPIProjection secret:SecretProjection serviceAccountToken:ServiceAccountTokenProjection"
    ),
    "VolumeResourceRequirements": "limits:quantity{} requests:quantity{}",
    "VsphereVirtualDiskVolumeSource": "fsType:str storagePolicyID:str storagePolicyName:str volumePath!:str",
    "WindowsSecurityContextOptions": (
        "gmsaCredentialSpec:str gmsaCredentialSpecName:str hostProcess:bool runAsUserName:str"
    ),
}
