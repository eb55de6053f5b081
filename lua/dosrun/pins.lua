-- What a pin stands for now: a tag's digest at its registry, the SHA-256 of a download's bytes.
local http = require "dosrun.http"
local script = require "dosrun.native.script"
local image = require "dosrun.image"

local M = {}

function M.resolve(pin)
  if pin.image then
    return { digest = image.resolve(pin.image):match("@(.+)$") }
  end
  return { sha256 = script.sha256(http.get(pin.url, { timeout = "5m" }).body) }
end

return M
