-- dosrun.image: images by digest. A tag is asked of its registry (the distribution API, v2), and what it
-- names is known by the SHA-256 of the manifest's own bytes.
local script = require "dosrun.native.script"
local changes = require "dosrun.native.change"
local http = require "dosrun.native.http"
local run = require "dosrun.native.run"
local play = require "dosrun.playbook"

local M = {}

local ACCEPT = table.concat({
  "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
}, ", ")

local function fail(kind, text, message, ...)
  run.raise(kind, "K105", ("image %s: %s"):format(text, message:format(...)), 3)
end

-- "host/path:tag@digest" taken apart as the distribution project's reference grammar says: the first part
-- is a host when it has a point or a port, or is localhost; else the image is one of Docker Hub.
local function parse(text)
  local rest, digest = text:match("^([^@]+)@(.+)$")
  rest = rest or text
  if digest and not digest:match("^sha256:%x+$") or digest and #digest ~= 71 then
    play.fail(3, "image %s: a digest is sha256: and 64 hex digits", text)
  end
  local host, path = rest:match("^([^/]+)/(.+)$")
  if not host or not (host:find("[.:]") or host == "localhost") then host, path = "docker.io", rest end
  local tag = path:match(":([^/:]+)$")
  if tag then path = path:sub(1, -#tag - 2) end
  if not path:match("^[a-z0-9][a-z0-9._/-]*$") or tag and not tag:match("^[%w_][%w._-]*$") then
    play.fail(3, "image %s: write HOST/PATH:TAG, the path in lower case", text)
  end
  if host == "docker.io" and not path:find("/", 1, true) then path = "library/" .. path end
  return { host = host, path = path, tag = tag or "latest", digest = digest, name = host .. "/" .. path }
end

-- The address of a registry's API: encrypted, except on this machine.
local function origin(host)
  if host == "docker.io" then host = "registry-1.docker.io" end
  local name = host:match("^%[(.-)%]") or host:match("^([^:]+)")
  local loopback = name == "localhost" or name == "::1" or name:match("^127%.%d+%.%d+%.%d+$")
  return (loopback and "http://" or "https://") .. host
end

local function header(answer, wanted)
  for name, value in pairs(answer.headers) do
    if name:lower() == wanted then return value end
  end
end

local function escape(text)
  return (text:gsub("[^%w._~-]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

-- A token for who has no account, from where the challenge points to (distribution's "token authentication").
local function anonymous(text, challenge, path)
  local realm = challenge and challenge:match('^[Bb]earer.-realm="([^"]+)"')
  if not realm then fail("auth", text, "its registry wants credentials, and dosrun has none for it") end
  local service, scope = challenge:match('service="([^"]*)"'), challenge:match('scope="([^"]*)"')
  local url = ("%s%sscope=%s"):format(realm, realm:find("?", 1, true) and "&" or "?", escape(scope or "repository:" .. path .. ":pull"))
  if service then url = url .. "&service=" .. escape(service) end
  local answer = http.request { method = "GET", url = url, headers = { accept = "application/json" }, any_status = true }
  local ok, body = pcall(script.json_decode, answer.body)
  local token = answer.status == 200 and ok and type(body) == "table" and (body.token or body.access_token)
  if type(token) ~= "string" then fail("auth", text, "its registry gives no token to anonymous readers (status %d)", answer.status) end
  return token
end

local function ask(text, image)
  local url = ("%s/v2/%s/manifests/%s"):format(origin(image.host), image.path, image.tag)
  local answer = http.request { method = "GET", url = url, headers = { accept = ACCEPT }, any_status = true }
  if answer.status == 401 then
    local token = anonymous(text, header(answer, "www-authenticate"), image.path)
    answer = http.request { method = "GET", url = url, headers = { accept = ACCEPT, authorization = "Bearer " .. token }, any_status = true }
  end
  return answer
end

-- image.resolve("HOST/PATH:tag") -> "HOST/PATH@sha256:...". What names a digest already stays as it is.
function M.resolve(text)
  if type(text) ~= "string" or text == "" then play.fail(2, 'image.resolve takes "HOST/PATH:TAG"') end
  if not script.known(text) then return text end
  local image = parse(text)
  if image.digest then return image.name .. "@" .. image.digest end
  if changes.mode() == "check" then return script.unknown("digest of " .. text) end
  local answer = ask(text, image)
  if answer.status == 404 then
    fail("missing", text, "the registry %s has no tag %q in %s. Push it first, or name another place: --set images=HOST/PREFIX",
      image.host, image.tag, image.path)
  elseif answer.status == 401 or answer.status == 403 then
    fail("auth", text, "its registry does not let anonymous readers see it (status %d)", answer.status)
  elseif answer.status ~= 200 then
    fail("server", text, "its registry answered with status %d", answer.status)
  end
  local digest, told = "sha256:" .. script.sha256(answer.body), header(answer, "docker-content-digest")
  if told and told:match("^sha256:") and told ~= digest then
    fail("server", text, "the registry says %s, but the manifest that it sent is %s", told, digest)
  end
  -- Not every registry says it: bytes that were cut or garbled would otherwise be named by a digest of their own.
  local ok, manifest = pcall(script.json_decode, answer.body)
  if not ok or type(manifest) ~= "table" or manifest.schemaVersion ~= 2 then
    fail("server", text, "what its registry sent is no manifest (%d bytes)", #answer.body)
  end
  return image.name .. "@" .. digest
end

return setmetatable(M, {
  __index = function(_, name)
    if name == "publish" then
      play.fail(2, "image.publish: building and pushing images comes with a later version of dosrun. "
        .. "Name images that are pushed already: --set images=HOST/PREFIX, and image.resolve(\"HOST/PREFIX:tag\")")
    end
    local near = run.suggest(tostring(name), { resolve = true })
    play.fail(2, "dosrun.image has no %q%s", tostring(name), near and ("; did you mean %q?"):format(near) or "")
  end,
})
