-- Types of apps/v1, batch/v1, autoscaling/v2, policy/v1, scheduling.k8s.io/v1;
-- schema_meta.lua explains the notation. Source: the published API reference, v1.34.
return {
  RollingUpdateDeployment = [[maxUnavailable *intstr =25%; maxSurge *intstr =25%]],
  DeploymentStrategy = [[
    type str =RollingUpdate |Recreate|RollingUpdate; rollingUpdate *RollingUpdateDeployment]],
  DeploymentSpec = [[
    replicas *int =1; selector! *LabelSelector ^; template! PodTemplateSpec; strategy! DeploymentStrategy
    patch:retainKeys; minReadySeconds int; revisionHistoryLimit *int =10; paused bool;
    progressDeadlineSeconds *int =600]],
  DeploymentCondition = [[
    type! str; status! str; lastUpdateTime! time; lastTransitionTime! time; reason str; message str]],
  DeploymentStatus = [[
    observedGeneration int; replicas int; updatedReplicas int; readyReplicas int; availableReplicas int;
    unavailableReplicas int; terminatingReplicas *int; conditions [type]DeploymentCondition; collisionCount
    *int]],
  Deployment = [[@kind; metadata! ObjectMeta; spec! DeploymentSpec; status! DeploymentStatus]],
  ReplicaSetSpec = [[
    replicas *int =1; minReadySeconds int; selector! *LabelSelector ^; template! PodTemplateSpec]],
  ReplicaSetCondition = [[type! str; status! str; lastTransitionTime! time; reason str; message str]],
  ReplicaSetStatus = [[
    replicas! int; fullyLabeledReplicas int; readyReplicas int; availableReplicas int; terminatingReplicas
    *int; observedGeneration int; conditions [type]ReplicaSetCondition]],
  ReplicaSet = [[@kind; metadata! ObjectMeta; spec! ReplicaSetSpec; status! ReplicaSetStatus]],
  RollingUpdateStatefulSetStrategy = [[partition *int =0; maxUnavailable *intstr]],
  StatefulSetUpdateStrategy = [[type str =RollingUpdate; rollingUpdate *RollingUpdateStatefulSetStrategy]],
  StatefulSetPersistentVolumeClaimRetentionPolicy = [[whenDeleted str =Retain; whenScaled str =Retain]],
  StatefulSetOrdinals = [[start! int]],
  StatefulSetSpec = [[
    replicas *int =1; selector! *LabelSelector ^; template! PodTemplateSpec; volumeClaimTemplates
    []PersistentVolumeClaim; serviceName! str; podManagementPolicy str =OrderedReady;
    updateStrategy! StatefulSetUpdateStrategy; revisionHistoryLimit *int =10; minReadySeconds int;
    persistentVolumeClaimRetentionPolicy *StatefulSetPersistentVolumeClaimRetentionPolicy ={}; ordinals
    *StatefulSetOrdinals]],
  StatefulSetCondition = [[type! str; status! str; lastTransitionTime! time; reason str; message str]],
  StatefulSetStatus = [[
    observedGeneration int; replicas! int; readyReplicas int; currentReplicas int; updatedReplicas int;
    currentRevision str; updateRevision str; collisionCount *int; conditions [type]StatefulSetCondition;
    availableReplicas! int]],
  StatefulSet = [[@kind; metadata! ObjectMeta; spec! StatefulSetSpec; status! StatefulSetStatus]],
  RollingUpdateDaemonSet = [[maxUnavailable *intstr =1; maxSurge *intstr =0]],
  DaemonSetUpdateStrategy = [[type str =RollingUpdate; rollingUpdate *RollingUpdateDaemonSet]],
  DaemonSetSpec = [[
    selector! *LabelSelector ^; template! PodTemplateSpec; updateStrategy! DaemonSetUpdateStrategy;
    minReadySeconds int; revisionHistoryLimit *int =10]],
  DaemonSetCondition = [[type! str; status! str; lastTransitionTime! time; reason str; message str]],
  DaemonSetStatus = [[
    currentNumberScheduled! int; numberMisscheduled! int; desiredNumberScheduled! int; numberReady! int;
    observedGeneration int; updatedNumberScheduled int; numberAvailable int; numberUnavailable int;
    collisionCount *int; conditions [type]DaemonSetCondition]],
  DaemonSet = [[@kind; metadata! ObjectMeta; spec! DaemonSetSpec; status! DaemonSetStatus]],
  PodFailurePolicyOnExitCodesRequirement = [[containerName *str; operator! str; values! [set]int patch:replace]],
  PodFailurePolicyOnPodConditionsPattern = [[type! str; status! str]],
  PodFailurePolicyRule = [[
    action! str; onExitCodes *PodFailurePolicyOnExitCodesRequirement; onPodConditions
    []PodFailurePolicyOnPodConditionsPattern]],
  PodFailurePolicy = [[rules! []PodFailurePolicyRule]],
  SuccessPolicyRule = [[succeededIndexes *str; succeededCount *int]],
  SuccessPolicy = [[rules! []SuccessPolicyRule]],
  JobSpec = [[
    parallelism *int; completions *int; activeDeadlineSeconds *int; podFailurePolicy *PodFailurePolicy;
    successPolicy *SuccessPolicy; backoffLimit *int; backoffLimitPerIndex *int; maxFailedIndexes *int;
    selector *LabelSelector; manualSelector *bool; template! PodTemplateSpec; ttlSecondsAfterFinished *int;
    completionMode *str; suspend *bool; podReplacementPolicy *str; managedBy *str]],
  JobCondition = [[
    type! str; status! str; lastProbeTime! time; lastTransitionTime! time; reason str; message str]],
  UncountedTerminatedPods = [[succeeded [set]str patch:replace; failed [set]str patch:replace]],
  JobStatus = [[
    conditions []JobCondition patch:type; startTime *time; completionTime *time; active int; succeeded int;
    failed int; terminating *int; completedIndexes str; failedIndexes *str; uncountedTerminatedPods
    *UncountedTerminatedPods; ready *int]],
  Job = [[@kind; metadata! ObjectMeta; spec! JobSpec; status! JobStatus]],
  JobTemplateSpec = [[metadata! ObjectMeta; spec! JobSpec]],
  CronJobSpec = [[
    schedule! str ^; timeZone *str; startingDeadlineSeconds *int; concurrencyPolicy str =Allow
    |Allow|Forbid|Replace; suspend *bool =false; jobTemplate! JobTemplateSpec; successfulJobsHistoryLimit
    *int =3; failedJobsHistoryLimit *int =1]],
  CronJobStatus = [[active []ObjectReference; lastScheduleTime *time; lastSuccessfulTime *time]],
  CronJob = [[@kind; metadata! ObjectMeta; spec! CronJobSpec; status! CronJobStatus]],
  CrossVersionObjectReference = [[kind! str ^; name! str ^; apiVersion str]],
  MetricTarget = [[type! str; value *quantity; averageValue *quantity; averageUtilization *int]],
  MetricIdentifier = [[name! str; selector *LabelSelector]],
  ObjectMetricSource = [[
    describedObject! CrossVersionObjectReference; target! MetricTarget; metric! MetricIdentifier]],
  PodsMetricSource = [[metric! MetricIdentifier; target! MetricTarget]],
  ResourceMetricSource = [[name! str; target! MetricTarget]],
  ContainerResourceMetricSource = [[name! str; target! MetricTarget; container! str]],
  ExternalMetricSource = [[metric! MetricIdentifier; target! MetricTarget]],
  MetricSpec = [[
    type! str; object *ObjectMetricSource; pods *PodsMetricSource; resource *ResourceMetricSource;
    containerResource *ContainerResourceMetricSource; external *ExternalMetricSource]],
  HPAScalingPolicy = [[type! str; value! int; periodSeconds! int]],
  HPAScalingRules = [[
    stabilizationWindowSeconds *int; selectPolicy *str; policies []HPAScalingPolicy; tolerance *quantity]],
  HorizontalPodAutoscalerBehavior = [[scaleUp *HPAScalingRules; scaleDown *HPAScalingRules]],
  HorizontalPodAutoscalerSpec = [[
    scaleTargetRef! CrossVersionObjectReference; minReplicas *int =1; maxReplicas! int; metrics
    []MetricSpec; behavior *HorizontalPodAutoscalerBehavior]],
  MetricValueStatus = [[value *quantity; averageValue *quantity; averageUtilization *int]],
  ObjectMetricStatus = [[
    metric! MetricIdentifier; current! MetricValueStatus; describedObject! CrossVersionObjectReference]],
  PodsMetricStatus = [[metric! MetricIdentifier; current! MetricValueStatus]],
  ResourceMetricStatus = [[name! str; current! MetricValueStatus]],
  ContainerResourceMetricStatus = [[name! str; current! MetricValueStatus; container! str]],
  ExternalMetricStatus = [[metric! MetricIdentifier; current! MetricValueStatus]],
  MetricStatus = [[
    type! str; object *ObjectMetricStatus; pods *PodsMetricStatus; resource *ResourceMetricStatus;
    containerResource *ContainerResourceMetricStatus; external *ExternalMetricStatus]],
  HorizontalPodAutoscalerCondition = [[
    type! str; status! str; lastTransitionTime! time; reason str; message str]],
  HorizontalPodAutoscalerStatus = [[
    observedGeneration *int; lastScaleTime *time; currentReplicas int; desiredReplicas! int; currentMetrics!
    []MetricStatus; conditions [type]HorizontalPodAutoscalerCondition]],
  HorizontalPodAutoscaler = [[
    @kind; metadata! ObjectMeta; spec! HorizontalPodAutoscalerSpec; status! HorizontalPodAutoscalerStatus]],
  ScaleSpec = [[replicas int =0]],
  ScaleStatus = [[replicas! int; selector str]],
  Scale = [[@kind; metadata! ObjectMeta; spec! ScaleSpec; status! ScaleStatus]],
  PodDisruptionBudgetSpec = [[
    minAvailable *intstr; selector *LabelSelector patch:replace; maxUnavailable *intstr;
    unhealthyPodEvictionPolicy *str]],
  PodDisruptionBudgetStatus = [[
    observedGeneration int; disruptedPods {}time; disruptionsAllowed! int; currentHealthy! int;
    desiredHealthy! int; expectedPods! int; conditions [type]Condition]],
  PodDisruptionBudget = [[
    @kind; metadata! ObjectMeta; spec! PodDisruptionBudgetSpec; status! PodDisruptionBudgetStatus]],
  PriorityClass = [[
    @kind; metadata! ObjectMeta; value! int; globalDefault bool; description str; preemptionPolicy *str
    =PreemptLowerPriority]],
}
