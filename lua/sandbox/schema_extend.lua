-- Types of admissionregistration, apiregistration, apiextensions;
-- schema_meta.lua explains the notation. Source: the published API reference, v1.34.
return {
  ServiceReference = [[namespace! str; name! str; path *str; port *int =443]],
  WebhookClientConfig = [[url *str; service *ServiceReference; caBundle bytes]],
  RuleWithOperations = [[operations []str; apiGroups []str; apiVersions []str; resources []str; scope *str =*]],
  MatchCondition = [[name! str; expression! str]],
  ValidatingWebhook = [[
    name! str; clientConfig! WebhookClientConfig; rules []RuleWithOperations; failurePolicy *str =Fail;
    matchPolicy *str =Equivalent; namespaceSelector *LabelSelector ={}; objectSelector *LabelSelector ={};
    sideEffects! *str ^; timeoutSeconds *int =10; admissionReviewVersions! []str ^; matchConditions
    [name]MatchCondition]],
  ValidatingWebhookConfiguration = [[@kind; metadata! ObjectMeta; webhooks [name]ValidatingWebhook]],
  MutatingWebhook = [[
    name! str; clientConfig! WebhookClientConfig; rules []RuleWithOperations; failurePolicy *str =Fail;
    matchPolicy *str =Equivalent; namespaceSelector *LabelSelector ={}; objectSelector *LabelSelector ={};
    sideEffects! *str ^; timeoutSeconds *int =10; admissionReviewVersions! []str ^; reinvocationPolicy *str
    =Never; matchConditions [name]MatchCondition]],
  MutatingWebhookConfiguration = [[@kind; metadata! ObjectMeta; webhooks [name]MutatingWebhook]],
  ApiregistrationServiceReference = [[namespace str; name str; port *int =443]],
  APIServiceSpec = [[
    service *ApiregistrationServiceReference; group str; version str; insecureSkipTLSVerify bool; caBundle
    bytes; groupPriorityMinimum! int; versionPriority! int]],
  APIServiceCondition = [[type! str; status! str; lastTransitionTime! time; reason str; message str]],
  APIServiceStatus = [[conditions [type]APIServiceCondition]],
  APIService = [[@kind; metadata! ObjectMeta; spec! APIServiceSpec; status! APIServiceStatus]],
  CustomResourceDefinitionNames = [[
    plural! str; singular str; shortNames []str; kind! str; listKind str; categories []str]],
  ExternalDocumentation = [[description str; url str]],
  ValidationRule = [[
    rule! str; message str; messageExpression str; reason *str; fieldPath str; optionalOldSelf *bool]],
  JSONSchemaProps = [[
    id str; $schema str; $ref *str; description str; type str; format str; title str; default *any; maximum
    *real; exclusiveMaximum bool; minimum *real; exclusiveMinimum bool; maxLength *int; minLength *int;
    pattern str; maxItems *int; minItems *int; uniqueItems bool; multipleOf *real; enum []any; maxProperties
    *int; minProperties *int; required []str; items *JSONSchemaProps; allOf []JSONSchemaProps; oneOf
    []JSONSchemaProps; anyOf []JSONSchemaProps; not *JSONSchemaProps; properties {}JSONSchemaProps;
    additionalProperties *any; patternProperties {}JSONSchemaProps; dependencies
    {}any; additionalItems *any; definitions {}JSONSchemaProps;
    externalDocs *ExternalDocumentation; example *any; nullable bool; x-kubernetes-preserve-unknown-fields
    *bool; x-kubernetes-embedded-resource bool; x-kubernetes-int-or-string bool; x-kubernetes-list-map-keys
    []str; x-kubernetes-list-type *str; x-kubernetes-map-type *str; x-kubernetes-validations
    [rule]ValidationRule]],
  CustomResourceValidation = [[openAPIV3Schema *JSONSchemaProps]],
  CustomResourceSubresourceScale = [[specReplicasPath! str; statusReplicasPath! str; labelSelectorPath *str]],
  CustomResourceSubresources = [[status *{}str; scale *CustomResourceSubresourceScale]],
  CustomResourceColumnDefinition = [[
    name! str; type! str; format str; description str; priority int; jsonPath! str]],
  SelectableField = [[jsonPath! str]],
  CustomResourceDefinitionVersion = [[
    name! str; served! bool; storage! bool; deprecated bool; deprecationWarning *str; schema
    *CustomResourceValidation; subresources *CustomResourceSubresources; additionalPrinterColumns
    []CustomResourceColumnDefinition; selectableFields []SelectableField]],
  ApiextensionsServiceReference = [[namespace! str; name! str; path *str; port *int =443]],
  ApiextensionsWebhookClientConfig = [[url *str; service *ApiextensionsServiceReference; caBundle bytes]],
  WebhookConversion = [[clientConfig *ApiextensionsWebhookClientConfig; conversionReviewVersions! []str]],
  CustomResourceConversion = [[strategy! str =None; webhook *WebhookConversion]],
  CustomResourceDefinitionSpec = [[
    group! str; names! CustomResourceDefinitionNames; scope! str; versions!
    []CustomResourceDefinitionVersion; conversion *CustomResourceConversion; preserveUnknownFields bool]],
  CustomResourceDefinitionCondition = [[
    type! str; status! str; lastTransitionTime! time; reason str; message str]],
  CustomResourceDefinitionStatus = [[
    conditions! [type]CustomResourceDefinitionCondition patch:replace; acceptedNames! CustomResourceDefinitionNames;
    storedVersions! []str]],
  CustomResourceDefinition = [[
    @kind; metadata! ObjectMeta; spec! CustomResourceDefinitionSpec; status! CustomResourceDefinitionStatus]],
}
