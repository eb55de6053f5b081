-- Types of networking.k8s.io/v1, discovery.k8s.io/v1, storage.k8s.io/v1, coordination.k8s.io/v1, rbac;
-- schema_meta.lua explains the notation. Source: the published API reference, v1.34.
return {
  NetworkPolicyPort = [[protocol *str =TCP |SCTP|TCP|UDP; port *intstr; endPort *int]],
  IPBlock = [[cidr! str; except []str]],
  NetworkPolicyPeer = [[podSelector *LabelSelector; namespaceSelector *LabelSelector; ipBlock *IPBlock]],
  NetworkPolicyIngressRule = [[ports []NetworkPolicyPort; from []NetworkPolicyPeer]],
  NetworkPolicyEgressRule = [[ports []NetworkPolicyPort; to []NetworkPolicyPeer]],
  NetworkPolicySpec = [[
    podSelector! LabelSelector; ingress []NetworkPolicyIngressRule; egress []NetworkPolicyEgressRule;
    policyTypes []str]],
  NetworkPolicy = [[@kind; metadata! ObjectMeta; spec! NetworkPolicySpec]],
  ServiceBackendPort = [[@atomic; name str; number int]],
  IngressServiceBackend = [[name! str; port! ServiceBackendPort]],
  IngressBackend = [[service *IngressServiceBackend; resource *TypedLocalObjectReference]],
  IngressTLS = [[hosts []str; secretName str]],
  HTTPIngressPath = [[path str; pathType! *str ^ |Exact|ImplementationSpecific|Prefix; backend! IngressBackend]],
  HTTPIngressRuleValue = [[paths! []HTTPIngressPath]],
  IngressRule = [[host str; http *HTTPIngressRuleValue]],
  IngressSpec = [[ingressClassName *str; defaultBackend *IngressBackend; tls []IngressTLS; rules []IngressRule]],
  IngressPortStatus = [[port! int; protocol! str; error *str]],
  IngressLoadBalancerIngress = [[ip str; hostname str; ports []IngressPortStatus]],
  IngressLoadBalancerStatus = [[ingress []IngressLoadBalancerIngress]],
  IngressStatus = [[loadBalancer! IngressLoadBalancerStatus]],
  Ingress = [[@kind; metadata! ObjectMeta; spec! IngressSpec; status! IngressStatus]],
  IngressClassParametersReference = [[apiGroup *str; kind! str; name! str; scope! *str; namespace *str]],
  IngressClassSpec = [[controller str; parameters *IngressClassParametersReference]],
  IngressClass = [[@kind; metadata! ObjectMeta; spec! IngressClassSpec]],
  EndpointConditions = [[ready *bool; serving *bool; terminating *bool]],
  ForZone = [[name! str]],
  ForNode = [[name! str]],
  EndpointHints = [[forZones []ForZone; forNodes []ForNode]],
  Endpoint = [[
    addresses! [set]str patch:replace; conditions! EndpointConditions; hostname *str; targetRef *ObjectReference;
    deprecatedTopology {}str; nodeName *str; zone *str; hints *EndpointHints]],
  DiscoveryEndpointPort = [[@atomic; name *str =""; protocol *str =TCP; port *int; appProtocol *str]],
  EndpointSlice = [[
    @kind; metadata! ObjectMeta; addressType! str ^; endpoints! []Endpoint; ports! []DiscoveryEndpointPort]],
  StorageClass = [[
    @kind; metadata! ObjectMeta; provisioner! str ^; parameters {}str; reclaimPolicy *str =Delete;
    mountOptions []str; allowVolumeExpansion *bool; volumeBindingMode *str =Immediate; allowedTopologies
    []TopologySelectorTerm]],
  LeaseSpec = [[
    holderIdentity *str; leaseDurationSeconds *int; acquireTime *time; renewTime *time; leaseTransitions
    *int; strategy *str; preferredHolder *str]],
  Lease = [[@kind; metadata! ObjectMeta; spec! LeaseSpec]],
  PolicyRule = [[verbs! []str; apiGroups []str; resources []str; resourceNames []str; nonResourceURLs []str]],
  Role = [[@kind; metadata! ObjectMeta; rules! []PolicyRule]],
  Subject = [[@atomic; kind! str ^; apiGroup str; name! str ^; namespace str]],
  RoleRef = [[@atomic; apiGroup! str =rbac.authorization.k8s.io; kind! str ^; name! str ^]],
  RoleBinding = [[@kind; metadata! ObjectMeta; subjects []Subject; roleRef! RoleRef]],
  AggregationRule = [[clusterRoleSelectors []LabelSelector]],
  ClusterRole = [[@kind; metadata! ObjectMeta; rules! []PolicyRule; aggregationRule *AggregationRule]],
  ClusterRoleBinding = [[@kind; metadata! ObjectMeta; subjects []Subject; roleRef! RoleRef]],
}
