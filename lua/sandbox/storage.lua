-- Claims and volumes. Source: Kubernetes documentation "Persistent Volumes", "Storage Classes"; reasons
-- and messages of the persistentvolume controller 1.34.
local common = require "common"
local M = {}
local PROVISION, RECLAIM = 1000, 1000

local function users_of(claim)
  local out = {}
  for _, pod in ipairs(api.list("Pod", claim.metadata.namespace)) do
    for _, volume in ipairs(pod.spec.volumes or {}) do
      local used = volume.persistentVolumeClaim
      local over = pod.status.phase == "Succeeded" or pod.status.phase == "Failed"
      if used and used.claimName == claim.metadata.name and not over then out[#out + 1] = pod end
    end
  end
  return out
end

local function make_volume(claim, class)
  local name = "pvc-" .. claim.metadata.uid
  local volume = api.get("PersistentVolume", nil, name)
  if volume then return volume end
  return api.create("PersistentVolume", { apiVersion = "v1", kind = "PersistentVolume",
    metadata = { name = name, annotations = { ["pv.kubernetes.io/provisioned-by"] = class.provisioner } },
    spec = { capacity = { storage = claim.spec.resources.requests.storage }, accessModes = claim.spec.accessModes,
      persistentVolumeReclaimPolicy = class.reclaimPolicy, storageClassName = class.metadata.name,
      volumeMode = claim.spec.volumeMode,
      claimRef = { apiVersion = "v1", kind = "PersistentVolumeClaim", namespace = claim.metadata.namespace,
        name = claim.metadata.name, uid = claim.metadata.uid },
      csi = { driver = class.provisioner, volumeHandle = "vol-" .. api.hash(claim.metadata.uid, 17),
        fsType = "ext4" } } },
    class.provisioner)
end

local SELECTED = "volume.kubernetes.io/selected-at"

local function bind(claim, volume)
  local copy = doc.copy(claim)
  if not copy.metadata.annotations then copy.metadata.annotations = {} end
  copy.metadata.annotations[SELECTED] = nil -- a time, for this file's own use
  copy.metadata.annotations["pv.kubernetes.io/bind-completed"] = "yes"
  copy.metadata.annotations["pv.kubernetes.io/bound-by-controller"] = "yes"
  copy.spec.volumeName = volume.metadata.name
  local bound = api.update("PersistentVolumeClaim", copy)
  if not bound then return end
  api.status("PersistentVolumeClaim", bound, { phase = "Bound", accessModes = bound.spec.accessModes,
    capacity = volume.spec.capacity })
  api.status("PersistentVolume", volume, { phase = "Bound" })
end

-- A volume made by hand that fits and is free.
local function free_volume(claim)
  for _, volume in ipairs(api.list("PersistentVolume")) do
    local ref = volume.spec.claimRef
    local mine = ref and ref.namespace == claim.metadata.namespace and ref.name == claim.metadata.name
    if mine or not ref and (volume.spec.storageClassName or "") == (claim.spec.storageClassName
      or "") then return volume end
  end
end

function M.claim(namespace, name)
  local claim = api.get("PersistentVolumeClaim", namespace, name)
  if not claim then return end
  local users = users_of(claim)
  if claim.metadata.deletionTimestamp then
    if #users == 0 then api.unfinalize("PersistentVolumeClaim", namespace, name, "kubernetes.io/pvc-protection") end
    return
  end
  if claim.status.phase == "Bound" then return end
  local volume = free_volume(claim)
  local class = api.get("StorageClass", nil, claim.spec.storageClassName or "")
  if volume then return bind(claim, volume) end
  if not class then
    local reason = claim.spec.storageClassName and ('storageclass.storage.k8s.io "%s" not found'):format(
      claim.spec.storageClassName) or "no persistent volumes available for this claim and no storage class is set"
    common.event(claim, "Warning", "ProvisioningFailed", reason, "persistentvolume-controller")
    return
  end
  if class.volumeBindingMode == "WaitForFirstConsumer" and #users == 0 then
    common.event(claim, "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding",
      "persistentvolume-controller")
    return
  end
  local since = claim.metadata.annotations and claim.metadata.annotations[SELECTED]
  if not since then
    local copy = doc.copy(claim)
    if not copy.metadata.annotations then copy.metadata.annotations = {} end
    copy.metadata.annotations[SELECTED] = tostring(api.now())
    copy.metadata.annotations["volume.kubernetes.io/storage-provisioner"] = class.provisioner
    api.update("PersistentVolumeClaim", copy)
    return api.enqueue(common.key("claim", claim), PROVISION)
  end
  local left = tonumber(since) + PROVISION - api.now()
  if left > 0 then return api.enqueue(common.key("claim", claim), math.tointeger(left)) end
  volume = make_volume(claim, class)
  if volume then
    common.event(claim, "Normal", "ProvisioningSucceeded", "Successfully provisioned volume " .. volume.metadata.name,
      class.provisioner)
    bind(claim, volume)
  end
end

function M.volume(_, name)
  local volume = api.get("PersistentVolume", nil, name)
  if not volume then return end
  local ref = volume.spec.claimRef
  local claim = ref and api.get("PersistentVolumeClaim", ref.namespace, ref.name)
  local bound = claim and (not ref.uid or claim.metadata.uid == ref.uid)
  if volume.metadata.deletionTimestamp and not bound then
    return api.unfinalize("PersistentVolume", nil, name, "kubernetes.io/pv-protection")
  end
  if not ref then
    if volume.status.phase ~= "Available" then
      api.status("PersistentVolume", volume, { phase = "Available" })
    end
  elseif not bound and volume.status.phase == "Bound" then
    api.status("PersistentVolume", volume, { phase = "Released" })
    api.enqueue(common.key("volume", volume), RECLAIM)
  elseif not bound and volume.status.phase == "Released" and volume.spec.persistentVolumeReclaimPolicy == "Delete" then
    api.delete("PersistentVolume", nil, name)
  end
end

return M
