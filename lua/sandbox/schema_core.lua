-- Types of v1;
-- schema_meta.lua explains the notation. Source: the published API reference, v1.34.
return {
  NamespaceSpec = [[finalizers []str]],
  NamespaceCondition = [[type! str; status! str; lastTransitionTime! time; reason str; message str]],
  NamespaceStatus = [[phase str; conditions [type]NamespaceCondition]],
  Namespace = [[@kind; metadata! ObjectMeta; spec! NamespaceSpec; status! NamespaceStatus]],
  ConfigMap = [[@kind; metadata! ObjectMeta; immutable *bool; data {}str; binaryData {}bytes]],
  Secret = [[@kind; metadata! ObjectMeta; immutable *bool; data {}bytes; stringData {}str; type str =Opaque]],
  ServicePort = [[
    name str; protocol str =TCP |SCTP|TCP|UDP; appProtocol *str; port! int; targetPort! intstr; nodePort int]],
  ClientIPConfig = [[timeoutSeconds *int]],
  SessionAffinityConfig = [[clientIP *ClientIPConfig]],
  ServiceSpec = [[
    ports [port,protocol]ServicePort patch:port; selector {=}str; clusterIP str; clusterIPs []str; type str
    =ClusterIP |ClusterIP|ExternalName|LoadBalancer|NodePort; externalIPs []str; sessionAffinity str =None
    |ClientIP|None; loadBalancerIP str; loadBalancerSourceRanges []str; externalName str;
    externalTrafficPolicy str; healthCheckNodePort int; publishNotReadyAddresses bool; sessionAffinityConfig
    *SessionAffinityConfig; ipFamilies []str; ipFamilyPolicy *str; allocateLoadBalancerNodePorts *bool;
    loadBalancerClass *str; internalTrafficPolicy *str; trafficDistribution *str]],
  PortStatus = [[port! int; protocol! str; error *str]],
  LoadBalancerIngress = [[ip str; hostname str; ipMode *str; ports []PortStatus]],
  LoadBalancerStatus = [[ingress []LoadBalancerIngress]],
  ServiceStatus = [[loadBalancer! LoadBalancerStatus; conditions [type]Condition]],
  Service = [[@kind; metadata! ObjectMeta; spec! ServiceSpec; status! ServiceStatus]],
  ObjectReference = [[
    @atomic; kind str; namespace str; name str; uid str; apiVersion str; resourceVersion str; fieldPath str]],
  LocalObjectReference = [[@atomic; name str]],
  ServiceAccount = [[
    @kind; metadata! ObjectMeta; secrets [name]ObjectReference; imagePullSecrets []LocalObjectReference;
    automountServiceAccountToken *bool]],
  HostPathVolumeSource = [[path! str ^; type *str =""]],
  EmptyDirVolumeSource = [[medium str; sizeLimit *quantity]],
  GCEPersistentDiskVolumeSource = [[pdName! str; fsType str; partition int; readOnly bool]],
  AWSElasticBlockStoreVolumeSource = [[volumeID! str; fsType str; partition int; readOnly bool]],
  GitRepoVolumeSource = [[repository! str; revision str; directory str]],
  KeyToPath = [[key! str; path! str; mode *int]],
  SecretVolumeSource = [[secretName str; items []KeyToPath; defaultMode *int =420; optional *bool]],
  NFSVolumeSource = [[server! str; path! str; readOnly bool]],
  ISCSIVolumeSource = [[
    targetPortal! str; iqn! str; lun! int; iscsiInterface str =default; fsType str; readOnly bool; portals
    []str; chapAuthDiscovery bool; chapAuthSession bool; secretRef *LocalObjectReference; initiatorName *str]],
  GlusterfsVolumeSource = [[endpoints! str; path! str; readOnly bool]],
  PersistentVolumeClaimVolumeSource = [[claimName! str; readOnly bool]],
  RBDVolumeSource = [[
    monitors! []str; image! str; fsType str; pool str =rbd; user str =admin; keyring str =/etc/ceph/keyring;
    secretRef *LocalObjectReference; readOnly bool]],
  FlexVolumeSource = [[driver! str; fsType str; secretRef *LocalObjectReference; readOnly bool; options {}str]],
  CinderVolumeSource = [[volumeID! str; fsType str; readOnly bool; secretRef *LocalObjectReference]],
  CephFSVolumeSource = [[
    monitors! []str; path str; user str; secretFile str; secretRef *LocalObjectReference; readOnly bool]],
  FlockerVolumeSource = [[datasetName str; datasetUUID str]],
  ObjectFieldSelector = [[@atomic; apiVersion str =v1; fieldPath! str ^]],
  ResourceFieldSelector = [[@atomic; containerName str; resource! str; divisor! quantity]],
  DownwardAPIVolumeFile = [[
    path! str; fieldRef *ObjectFieldSelector; resourceFieldRef *ResourceFieldSelector; mode *int]],
  DownwardAPIVolumeSource = [[items []DownwardAPIVolumeFile; defaultMode *int =420]],
  FCVolumeSource = [[targetWWNs []str; lun *int; fsType str; readOnly bool; wwids []str]],
  AzureFileVolumeSource = [[secretName! str; shareName! str; readOnly bool]],
  ConfigMapVolumeSource = [[name str; items []KeyToPath; defaultMode *int =420; optional *bool]],
  VsphereVirtualDiskVolumeSource = [[volumePath! str; fsType str; storagePolicyName str; storagePolicyID str]],
  QuobyteVolumeSource = [[registry! str; volume! str; readOnly bool; user str; group str; tenant str]],
  AzureDiskVolumeSource = [[
    diskName! str; diskURI! str; cachingMode *str =ReadWrite; fsType *str =ext4;
    readOnly *bool =false; kind *str =Shared]],
  PhotonPersistentDiskVolumeSource = [[pdID! str; fsType str]],
  SecretProjection = [[name str; items []KeyToPath; optional *bool]],
  DownwardAPIProjection = [[items []DownwardAPIVolumeFile]],
  ConfigMapProjection = [[name str; items []KeyToPath; optional *bool]],
  ServiceAccountTokenProjection = [[audience str; expirationSeconds *int =3600; path! str]],
  ClusterTrustBundleProjection = [[
    name *str; signerName *str; labelSelector *LabelSelector; optional *bool; path! str]],
  PodCertificateProjection = [[
    signerName str; keyType str; maxExpirationSeconds *int; credentialBundlePath str; keyPath str;
    certificateChainPath str]],
  VolumeProjection = [[
    secret *SecretProjection; downwardAPI *DownwardAPIProjection; configMap *ConfigMapProjection;
    serviceAccountToken *ServiceAccountTokenProjection; clusterTrustBundle *ClusterTrustBundleProjection;
    podCertificate *PodCertificateProjection]],
  ProjectedVolumeSource = [[sources! []VolumeProjection; defaultMode *int =420]],
  PortworxVolumeSource = [[volumeID! str; fsType str; readOnly bool]],
  ScaleIOVolumeSource = [[
    gateway! str; system! str; secretRef! *LocalObjectReference; sslEnabled bool; protectionDomain str;
    storagePool str; storageMode str =ThinProvisioned; volumeName str; fsType str =xfs; readOnly bool]],
  StorageOSVolumeSource = [[
    volumeName str; volumeNamespace str; fsType str; readOnly bool; secretRef *LocalObjectReference]],
  CSIVolumeSource = [[
    driver! str; readOnly *bool; fsType *str; volumeAttributes {}str; nodePublishSecretRef
    *LocalObjectReference]],
  VolumeResourceRequirements = [[limits {}quantity; requests {}quantity]],
  TypedLocalObjectReference = [[@atomic; apiGroup! *str; kind! str; name! str]],
  TypedObjectReference = [[apiGroup! *str; kind! str; name! str; namespace *str]],
  PersistentVolumeClaimSpec = [[
    accessModes []str; selector *LabelSelector; resources! VolumeResourceRequirements; volumeName str;
    storageClassName *str; volumeMode *str =Filesystem |Block|Filesystem; dataSource
    *TypedLocalObjectReference; dataSourceRef *TypedObjectReference; volumeAttributesClassName *str]],
  PersistentVolumeClaimTemplate = [[metadata! ObjectMeta; spec! PersistentVolumeClaimSpec]],
  EphemeralVolumeSource = [[volumeClaimTemplate *PersistentVolumeClaimTemplate]],
  ImageVolumeSource = [[reference str; pullPolicy str]],
  Volume = [[
    name! str ^; hostPath *HostPathVolumeSource; emptyDir *EmptyDirVolumeSource; gcePersistentDisk
    *GCEPersistentDiskVolumeSource; awsElasticBlockStore *AWSElasticBlockStoreVolumeSource; gitRepo
    *GitRepoVolumeSource; secret *SecretVolumeSource; nfs *NFSVolumeSource; iscsi *ISCSIVolumeSource;
    glusterfs *GlusterfsVolumeSource; persistentVolumeClaim *PersistentVolumeClaimVolumeSource; rbd
    *RBDVolumeSource; flexVolume *FlexVolumeSource; cinder *CinderVolumeSource; cephfs *CephFSVolumeSource;
    flocker *FlockerVolumeSource; downwardAPI *DownwardAPIVolumeSource; fc *FCVolumeSource; azureFile
    *AzureFileVolumeSource; configMap *ConfigMapVolumeSource; vsphereVolume *VsphereVirtualDiskVolumeSource;
    quobyte *QuobyteVolumeSource; azureDisk *AzureDiskVolumeSource; photonPersistentDisk
    *PhotonPersistentDiskVolumeSource; projected *ProjectedVolumeSource; portworxVolume
    *PortworxVolumeSource; scaleIO *ScaleIOVolumeSource; storageos *StorageOSVolumeSource; csi
    *CSIVolumeSource; ephemeral *EphemeralVolumeSource; image *ImageVolumeSource]],
  ContainerPort = [[name str; hostPort int; containerPort! int ^; protocol str =TCP |SCTP|TCP|UDP; hostIP str]],
  ConfigMapEnvSource = [[name str; optional *bool]],
  SecretEnvSource = [[name str; optional *bool]],
  EnvFromSource = [[prefix str; configMapRef *ConfigMapEnvSource; secretRef *SecretEnvSource]],
  ConfigMapKeySelector = [[@atomic; name str; key! str; optional *bool]],
  SecretKeySelector = [[@atomic; name str; key! str; optional *bool]],
  FileKeySelector = [[@atomic; volumeName! str; path! str; key! str; optional *bool =false]],
  EnvVarSource = [[
    fieldRef *ObjectFieldSelector; resourceFieldRef *ResourceFieldSelector; configMapKeyRef
    *ConfigMapKeySelector; secretKeyRef *SecretKeySelector; fileKeyRef *FileKeySelector]],
  EnvVar = [[name! str ^; value str; valueFrom *EnvVarSource]],
  ResourceClaim = [[name! str; request str]],
  ResourceRequirements = [[limits {}quantity; requests {}quantity; claims [name]ResourceClaim patch:replace]],
  ContainerResizePolicy = [[resourceName! str; restartPolicy! str]],
  ContainerRestartRuleOnExitCodes = [[operator str; values [set]int patch:replace]],
  ContainerRestartRule = [[action str; exitCodes *ContainerRestartRuleOnExitCodes]],
  VolumeMount = [[
    name! str ^; readOnly bool; recursiveReadOnly *str; mountPath! str ^; subPath str; mountPropagation
    *str; subPathExpr str]],
  VolumeDevice = [[name! str; devicePath! str]],
  ExecAction = [[command []str]],
  HTTPHeader = [[name! str; value! str]],
  HTTPGetAction = [[
    path str =/; port! intstr ^; host str; scheme str =HTTP |HTTP|HTTPS; httpHeaders []HTTPHeader]],
  TCPSocketAction = [[port! intstr; host str]],
  GRPCAction = [[port! int; service! *str =""]],
  Probe = [[
    exec *ExecAction; httpGet *HTTPGetAction; tcpSocket *TCPSocketAction; grpc *GRPCAction;
    initialDelaySeconds int; timeoutSeconds int =1; periodSeconds int =10; successThreshold int =1;
    failureThreshold int =3; terminationGracePeriodSeconds *int]],
  SleepAction = [[seconds! int]],
  LifecycleHandler = [[exec *ExecAction; httpGet *HTTPGetAction; tcpSocket *TCPSocketAction; sleep *SleepAction]],
  Lifecycle = [[postStart *LifecycleHandler; preStop *LifecycleHandler; stopSignal *str]],
  Capabilities = [[add []str; drop []str]],
  SELinuxOptions = [[user str; role str; type str; level str]],
  WindowsSecurityContextOptions = [[
    gmsaCredentialSpecName *str; gmsaCredentialSpec *str; runAsUserName *str; hostProcess *bool]],
  SeccompProfile = [[type! str; localhostProfile *str]],
  AppArmorProfile = [[type! str; localhostProfile *str]],
  SecurityContext = [[
    capabilities *Capabilities; privileged *bool; seLinuxOptions *SELinuxOptions; windowsOptions
    *WindowsSecurityContextOptions; runAsUser *int; runAsGroup *int; runAsNonRoot *bool;
    readOnlyRootFilesystem *bool; allowPrivilegeEscalation *bool; procMount *str; seccompProfile
    *SeccompProfile; appArmorProfile *AppArmorProfile]],
  Container = [[
    name! str ^; image str ^; command []str; args []str; workingDir str; ports
    [containerPort,protocol]ContainerPort patch:containerPort; envFrom []EnvFromSource; env [name]EnvVar;
    resources! ResourceRequirements; resizePolicy []ContainerResizePolicy; restartPolicy *str;
    restartPolicyRules []ContainerRestartRule; volumeMounts [mountPath]VolumeMount; volumeDevices
    [devicePath]VolumeDevice; livenessProbe *Probe; readinessProbe *Probe; startupProbe *Probe; lifecycle
    *Lifecycle; terminationMessagePath str =/dev/termination-log; terminationMessagePolicy str =File
    |FallbackToLogsOnError|File; imagePullPolicy str |Always|IfNotPresent|Never; securityContext
    *SecurityContext; stdin bool; stdinOnce bool; tty bool]],
  EphemeralContainer = [[
    name! str; image str; command []str; args []str; workingDir str; ports
    [containerPort,protocol]ContainerPort patch:containerPort; envFrom []EnvFromSource; env [name]EnvVar;
    resources! ResourceRequirements; resizePolicy []ContainerResizePolicy; restartPolicy *str;
    restartPolicyRules []ContainerRestartRule; volumeMounts [mountPath]VolumeMount; volumeDevices
    [devicePath]VolumeDevice; livenessProbe *Probe; readinessProbe *Probe; startupProbe *Probe; lifecycle
    *Lifecycle; terminationMessagePath str; terminationMessagePolicy str; imagePullPolicy str;
    securityContext *SecurityContext; stdin bool; stdinOnce bool; tty bool; targetContainerName str]],
  Sysctl = [[name! str; value! str]],
  PodSecurityContext = [[
    seLinuxOptions *SELinuxOptions; windowsOptions *WindowsSecurityContextOptions; runAsUser *int;
    runAsGroup *int; runAsNonRoot *bool; supplementalGroups []int; supplementalGroupsPolicy *str; fsGroup
    *int; sysctls []Sysctl; fsGroupChangePolicy *str; seccompProfile *SeccompProfile; appArmorProfile
    *AppArmorProfile; seLinuxChangePolicy *str]],
  NodeSelectorRequirement = [[key! str; operator! str; values []str]],
  NodeSelectorTerm = [[
    @atomic; matchExpressions []NodeSelectorRequirement; matchFields []NodeSelectorRequirement]],
  NodeSelector = [[@atomic; nodeSelectorTerms! []NodeSelectorTerm]],
  PreferredSchedulingTerm = [[weight! int; preference! NodeSelectorTerm]],
  NodeAffinity = [[
    requiredDuringSchedulingIgnoredDuringExecution *NodeSelector;
    preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm]],
  PodAffinityTerm = [[
    labelSelector *LabelSelector; namespaces []str; topologyKey! str; namespaceSelector *LabelSelector;
    matchLabelKeys []str; mismatchLabelKeys []str]],
  WeightedPodAffinityTerm = [[weight! int; podAffinityTerm! PodAffinityTerm]],
  PodAffinity = [[
    requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm;
    preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm]],
  PodAntiAffinity = [[
    requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm;
    preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm]],
  Affinity = [[nodeAffinity *NodeAffinity; podAffinity *PodAffinity; podAntiAffinity *PodAntiAffinity]],
  Toleration = [[key str; operator str; value str; effect str; tolerationSeconds *int]],
  HostAlias = [[ip! str; hostnames []str]],
  PodDNSConfigOption = [[name str; value *str]],
  PodDNSConfig = [[nameservers []str; searches []str; options []PodDNSConfigOption]],
  PodReadinessGate = [[conditionType! str]],
  TopologySpreadConstraint = [[
    maxSkew! int; topologyKey! str; whenUnsatisfiable! str; labelSelector *LabelSelector; minDomains *int;
    nodeAffinityPolicy *str; nodeTaintsPolicy *str; matchLabelKeys []str]],
  PodOS = [[name! str]],
  PodSchedulingGate = [[name! str]],
  PodResourceClaim = [[name! str; resourceClaimName *str; resourceClaimTemplateName *str]],
  PodSpec = [[
    volumes [name]Volume retain; initContainers [name]Container; containers! [name]Container ^;
    ephemeralContainers [name]EphemeralContainer; restartPolicy str =Always |Always|OnFailure|Never;
    terminationGracePeriodSeconds *int =30; activeDeadlineSeconds *int; dnsPolicy str =ClusterFirst
    |ClusterFirst|ClusterFirstWithHostNet|Default|None; nodeSelector {=}str; serviceAccountName str;
    serviceAccount str; automountServiceAccountToken *bool; nodeName str; hostNetwork bool; hostPID bool;
    hostIPC bool; shareProcessNamespace *bool; securityContext *PodSecurityContext ={}; imagePullSecrets
    [name]LocalObjectReference; hostname str; subdomain str; affinity *Affinity; schedulerName str
    =default-scheduler; tolerations []Toleration; hostAliases [ip]HostAlias; priorityClassName str; priority
    *int; dnsConfig *PodDNSConfig; readinessGates []PodReadinessGate; runtimeClassName *str;
    enableServiceLinks *bool; preemptionPolicy *str; overhead {}quantity; topologySpreadConstraints
    [topologyKey,whenUnsatisfiable]TopologySpreadConstraint patch:topologyKey; setHostnameAsFQDN *bool; os
    *PodOS; hostUsers *bool; schedulingGates [name]PodSchedulingGate; resourceClaims [name]PodResourceClaim
    retain; resources *ResourceRequirements; hostnameOverride *str]],
  PodCondition = [[
    type! str; observedGeneration int; status! str; lastProbeTime! time; lastTransitionTime! time; reason
    str; message str]],
  HostIP = [[ip! str]],
  PodIP = [[ip! str]],
  ContainerStateWaiting = [[reason str; message str]],
  ContainerStateRunning = [[startedAt! time]],
  ContainerStateTerminated = [[
    exitCode! int; signal int; reason str; message str; startedAt! time; finishedAt! time; containerID str]],
  ContainerState = [[
    waiting *ContainerStateWaiting; running *ContainerStateRunning; terminated *ContainerStateTerminated]],
  VolumeMountStatus = [[name! str; mountPath! str; readOnly bool; recursiveReadOnly *str]],
  LinuxContainerUser = [[uid! int; gid! int; supplementalGroups []int]],
  ContainerUser = [[linux *LinuxContainerUser]],
  ResourceHealth = [[resourceID! str; health str]],
  ResourceStatus = [[name! str; resources [resourceID]ResourceHealth patch:replace]],
  ContainerStatus = [[
    name! str; state! ContainerState; lastState! ContainerState; ready! bool; restartCount! int; image! str;
    imageID! str; containerID str; started *bool; allocatedResources {}quantity; resources
    *ResourceRequirements; volumeMounts [mountPath]VolumeMountStatus; user *ContainerUser;
    allocatedResourcesStatus [name]ResourceStatus; stopSignal *str]],
  PodResourceClaimStatus = [[name! str; resourceClaimName *str]],
  ContainerExtendedResourceRequest = [[containerName! str; resourceName! str; requestName! str]],
  PodExtendedResourceClaimStatus = [[
    requestMappings! []ContainerExtendedResourceRequest; resourceClaimName! str]],
  PodStatus = [[
    observedGeneration int; phase str; conditions [type]PodCondition; message str; reason str;
    nominatedNodeName str; hostIP str; hostIPs []HostIP patch:ip; podIP str; podIPs [ip]PodIP; startTime
    *time; initContainerStatuses []ContainerStatus; containerStatuses []ContainerStatus; qosClass str;
    ephemeralContainerStatuses []ContainerStatus; resize str; resourceClaimStatuses
    [name]PodResourceClaimStatus retain; extendedResourceClaimStatus *PodExtendedResourceClaimStatus]],
  Pod = [[@kind; metadata! ObjectMeta; spec! PodSpec; status! PodStatus]],
  PersistentVolumeClaimCondition = [[
    type! str; status! str; lastProbeTime! time; lastTransitionTime! time; reason str; message str]],
  ModifyVolumeStatus = [[targetVolumeAttributesClassName str; status! str]],
  PersistentVolumeClaimStatus = [[
    phase str; accessModes []str; capacity {}quantity; conditions [type]PersistentVolumeClaimCondition;
    allocatedResources {}quantity; allocatedResourceStatuses {}str; currentVolumeAttributesClassName *str;
    modifyVolumeStatus *ModifyVolumeStatus]],
  PersistentVolumeClaim = [[
    @kind; metadata! ObjectMeta; spec! PersistentVolumeClaimSpec; status! PersistentVolumeClaimStatus]],
  GlusterfsPersistentVolumeSource = [[endpoints! str; path! str; readOnly bool; endpointsNamespace *str]],
  SecretReference = [[@atomic; name str; namespace str]],
  RBDPersistentVolumeSource = [[
    monitors! []str; image! str; fsType str; pool str =rbd; user str =admin; keyring str =/etc/ceph/keyring;
    secretRef *SecretReference; readOnly bool]],
  ISCSIPersistentVolumeSource = [[
    targetPortal! str; iqn! str; lun! int; iscsiInterface str =default; fsType str; readOnly bool; portals
    []str; chapAuthDiscovery bool; chapAuthSession bool; secretRef *SecretReference; initiatorName *str]],
  CinderPersistentVolumeSource = [[volumeID! str; fsType str; readOnly bool; secretRef *SecretReference]],
  CephFSPersistentVolumeSource = [[
    monitors! []str; path str; user str; secretFile str; secretRef *SecretReference; readOnly bool]],
  FlexPersistentVolumeSource = [[
    driver! str; fsType str; secretRef *SecretReference; readOnly bool; options {}str]],
  AzureFilePersistentVolumeSource = [[secretName! str; shareName! str; readOnly bool; secretNamespace! *str]],
  ScaleIOPersistentVolumeSource = [[
    gateway! str; system! str; secretRef! *SecretReference; sslEnabled bool; protectionDomain str;
    storagePool str; storageMode str =ThinProvisioned; volumeName str; fsType str =xfs; readOnly bool]],
  LocalVolumeSource = [[path! str; fsType *str]],
  StorageOSPersistentVolumeSource = [[
    volumeName str; volumeNamespace str; fsType str; readOnly bool; secretRef *ObjectReference]],
  CSIPersistentVolumeSource = [[
    driver! str; volumeHandle! str; readOnly bool; fsType str; volumeAttributes {}str;
    controllerPublishSecretRef *SecretReference; nodeStageSecretRef *SecretReference; nodePublishSecretRef
    *SecretReference; controllerExpandSecretRef *SecretReference; nodeExpandSecretRef *SecretReference]],
  VolumeNodeAffinity = [[required *NodeSelector]],
  PersistentVolumeSpec = [[
    capacity {}quantity; gcePersistentDisk *GCEPersistentDiskVolumeSource; awsElasticBlockStore
    *AWSElasticBlockStoreVolumeSource; hostPath *HostPathVolumeSource; glusterfs
    *GlusterfsPersistentVolumeSource; nfs *NFSVolumeSource; rbd *RBDPersistentVolumeSource; iscsi
    *ISCSIPersistentVolumeSource; cinder *CinderPersistentVolumeSource; cephfs
    *CephFSPersistentVolumeSource; fc *FCVolumeSource; flocker *FlockerVolumeSource; flexVolume
    *FlexPersistentVolumeSource; azureFile *AzureFilePersistentVolumeSource; vsphereVolume
    *VsphereVirtualDiskVolumeSource; quobyte *QuobyteVolumeSource; azureDisk *AzureDiskVolumeSource;
    photonPersistentDisk *PhotonPersistentDiskVolumeSource; portworxVolume *PortworxVolumeSource; scaleIO
    *ScaleIOPersistentVolumeSource; local *LocalVolumeSource; storageos *StorageOSPersistentVolumeSource;
    csi *CSIPersistentVolumeSource; accessModes []str ^; claimRef *ObjectReference;
    persistentVolumeReclaimPolicy str =Retain; storageClassName str; mountOptions []str; volumeMode *str
    =Filesystem; nodeAffinity *VolumeNodeAffinity; volumeAttributesClassName *str]],
  PersistentVolumeStatus = [[phase str; message str; reason str; lastPhaseTransitionTime *time]],
  PersistentVolume = [[@kind; metadata! ObjectMeta; spec! PersistentVolumeSpec; status! PersistentVolumeStatus]],
  EventSource = [[component str; host str]],
  EventSeries = [[count int; lastObservedTime! time]],
  Event = [[
    @kind; metadata! ObjectMeta; involvedObject! ObjectReference; reason str; message str; source!
    EventSource; firstTimestamp! time; lastTimestamp! time; count int; type str; eventTime! time; series
    *EventSeries; action str; related *ObjectReference; reportingComponent! str; reportingInstance! str]],
  EndpointAddress = [[@atomic; ip! str; hostname str; nodeName *str; targetRef *ObjectReference]],
  EndpointPort = [[@atomic; name str; port! int; protocol str =TCP; appProtocol *str]],
  EndpointSubset = [[addresses []EndpointAddress; notReadyAddresses []EndpointAddress; ports []EndpointPort]],
  Endpoints = [[@kind; metadata! ObjectMeta; subsets []EndpointSubset]],
  ScopedResourceSelectorRequirement = [[scopeName! str; operator! str; values []str]],
  ScopeSelector = [[@atomic; matchExpressions []ScopedResourceSelectorRequirement]],
  ResourceQuotaSpec = [[hard {}quantity; scopes []str; scopeSelector *ScopeSelector]],
  ResourceQuotaStatus = [[hard {}quantity; used {}quantity]],
  ResourceQuota = [[@kind; metadata! ObjectMeta; spec! ResourceQuotaSpec; status! ResourceQuotaStatus]],
  LimitRangeItem = [[
    type! str; max {}quantity; min {}quantity; default {}quantity; defaultRequest {}quantity;
    maxLimitRequestRatio {}quantity]],
  LimitRangeSpec = [[limits! []LimitRangeItem]],
  LimitRange = [[@kind; metadata! ObjectMeta; spec! LimitRangeSpec]],
  Taint = [[key! str; value str; effect! str; timeAdded *time]],
  ConfigMapNodeConfigSource = [[namespace! str; name! str; uid str; resourceVersion str; kubeletConfigKey! str]],
  NodeConfigSource = [[configMap *ConfigMapNodeConfigSource]],
  NodeSpec = [[
    podCIDR str; podCIDRs [set]str; providerID str; unschedulable bool; taints []Taint; configSource
    *NodeConfigSource; externalID str]],
  NodeCondition = [[
    type! str; status! str; lastHeartbeatTime! time; lastTransitionTime! time; reason str; message str]],
  NodeAddress = [[type! str; address! str]],
  DaemonEndpoint = [[Port! int]],
  NodeDaemonEndpoints = [[kubeletEndpoint! DaemonEndpoint]],
  NodeSwapStatus = [[capacity *int]],
  NodeSystemInfo = [[
    machineID! str; systemUUID! str; bootID! str; kernelVersion! str; osImage! str; containerRuntimeVersion!
    str; kubeletVersion! str; kubeProxyVersion! str; operatingSystem! str; architecture! str; swap
    *NodeSwapStatus]],
  ContainerImage = [[names! []str; sizeBytes int]],
  AttachedVolume = [[name! str; devicePath! str]],
  NodeConfigStatus = [[
    assigned *NodeConfigSource; active *NodeConfigSource; lastKnownGood *NodeConfigSource; error str]],
  NodeRuntimeHandlerFeatures = [[recursiveReadOnlyMounts *bool; userNamespaces *bool]],
  NodeRuntimeHandler = [[name! str; features *NodeRuntimeHandlerFeatures]],
  NodeFeatures = [[supplementalGroupsPolicy *bool]],
  NodeStatus = [[
    capacity {}quantity; allocatable {}quantity; phase str; conditions [type]NodeCondition; addresses
    [type]NodeAddress; daemonEndpoints! NodeDaemonEndpoints; nodeInfo! NodeSystemInfo; images
    []ContainerImage; volumesInUse []str; volumesAttached []AttachedVolume; config *NodeConfigStatus;
    runtimeHandlers []NodeRuntimeHandler; features *NodeFeatures]],
  Node = [[@kind; metadata! ObjectMeta; spec! NodeSpec; status! NodeStatus]],
  PodTemplateSpec = [[metadata! ObjectMeta; spec! PodSpec]],
  TopologySelectorLabelRequirement = [[key! str; values! []str]],
  TopologySelectorTerm = [[@atomic; matchLabelExpressions []TopologySelectorLabelRequirement]],
}
