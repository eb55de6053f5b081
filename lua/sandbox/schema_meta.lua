-- Types that every kind shares (meta/v1), and the notation of all schema_*.lua files.
-- Source: the published API reference, v1.34; tests/conformance/schema_check.py compares with a live server.
--   "field type flags; field type flags"
--   field!      is always written by the server, even when it is empty
--   *type       zero values are kept (a pointer on the server's side); without * they are left out
--   []T {}T     list (atomic), map; {=}T atomic map; [set]T set; [k1,k2]T list of objects with these keys
--   @atomic     the whole object has one owner
--   flags       =VALUE default, ^ required, |A|B one of these, atomic, patch:KEY merge key of strategic patches
--               where it differs from the list's keys, patch:replace, patch:retainKeys
return {
  OwnerReference = [[
    @atomic; apiVersion! str; kind! str; name! str; uid! str; controller *bool; blockOwnerDeletion *bool]],
  ManagedFieldsEntry = [[
    manager str; operation str; apiVersion str; time *time; fieldsType str; fieldsV1 *any; subresource str]],
  ObjectMeta = [[
    name str; generateName str; namespace str; selfLink str; uid str; resourceVersion str; generation int;
    creationTimestamp time; deletionTimestamp *time; deletionGracePeriodSeconds *int; labels {}str;
    annotations {}str; ownerReferences [uid]OwnerReference; finalizers [set]str; managedFields
    []ManagedFieldsEntry]],
  Condition = [[
    type! str; status! str; observedGeneration int; lastTransitionTime! time; reason! str; message! str]],
  LabelSelectorRequirement = [[key! str ^; operator! str; values []str]],
  LabelSelector = [[@atomic; matchLabels {}str; matchExpressions []LabelSelectorRequirement]],
  Preconditions = [[uid *str; resourceVersion *str]],
  DeleteOptions = [[
    gracePeriodSeconds *int; preconditions *Preconditions; orphanDependents *bool; propagationPolicy *str;
    dryRun []str; ignoreStoreReadErrorWithClusterBreakingPotential *bool]],
}
