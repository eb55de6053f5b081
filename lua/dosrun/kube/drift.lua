-- Drift: what differs between the sets' inventories and what is there. No journal is needed: an inventory
-- has a hash of the fields that dosrun owned of each object when it had been applied; who changes one of
-- them takes it over, and then dosrun owns others than before.
local native = require "dosrun.native.kube"
local script = require "dosrun.native.script"
local play = require "dosrun.playbook"
local object = require "dosrun.kube.object"

local M = {}

-- Weights are moved by istio.traffic on purpose and belong to no manifest.
local function without_weights(applied)
  for _, rule in ipairs(applied.spec and applied.spec.http or {}) do
    for _, entry in ipairs(rule.route or {}) do entry.weight = nil end
  end
  return applied
end

-- A hash of what dosrun owns of a live object; nil for what holds a secret, whose mark differs from process to process.
function M.owned_hash(live)
  local applied = native.applied(live, object.manager)
  if not applied then return nil end
  if applied.kind == "VirtualService" then applied = without_weights(applied) end
  local text = script.json(applied, "sorted")
  if text:find("\u{FDD0}", 1, true) then return nil end
  return script.sha256(text):sub(1, 16)
end

local function compare(ref, live)
  local what = object.key(ref)
  if not live then return { what = what, want = "there", found = "gone" } end
  if ref.uid and live.metadata.uid ~= ref.uid then return { what = what, want = "the object that was applied", found = "another one of this name" } end
  if live.metadata.deletionTimestamp then return { what = what, want = "there", found = "being deleted" } end
  if ref.hash and M.owned_hash(live) ~= ref.hash then
    return { what = what, want = "its fields as applied", found = "fields changed or taken over by others" }
  end
end

-- kube.drift { prefix = "dos-game." } -> { { what, want, found }, ... } over all sets whose name begins so.
function M.drift(options)
  options = options or {}
  play.check_names(options, { prefix = true }, "kube.drift", 3)
  local remove, apply, list = require "dosrun.kube.remove", require "dosrun.kube.apply", {}
  local prefix = options.prefix or ""
  for _, set in ipairs(remove.sets()) do
    if set.name:sub(1, #prefix) == prefix then
      for _, found in pairs(apply.side_by_side(set.objects, function(ref)
        local resource = native.resource(ref.apiVersion, ref.kind)
        return compare(ref, resource and apply.read(ref) or nil) or false
      end)) do
        if found then list[#list + 1] = found end
      end
    end
  end
  return list
end

return M
