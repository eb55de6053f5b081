-- HTTP: requests that read are free; http.resource is a verb for one resource by URL.
local native = require "dosrun.native.http"
local script = require "dosrun.native.script"
local verb = require "dosrun.verb"
local play = require "dosrun.playbook"

local M = {}

local known = { headers = true, body = true, json = true, timeout = true, attempts = true, plain = true }

local function request(method, url, options, level)
  options = options or {}
  if type(url) ~= "string" then play.fail(level + 1, "http.%s takes a URL", method:lower()) end
  play.check_names(options, known, "a request", level + 1)
  local headers, body = {}, options.body
  for name, value in pairs(options.headers or {}) do headers[name] = tostring(value) end
  if options.json ~= nil then
    body = script.json(options.json)
    headers["content-type"] = headers["content-type"] or "application/json"
  end
  local answer = native.request {
    method = method, url = url, headers = headers, body = body, attempts = options.attempts, plain = options.plain,
    timeout_ms = options.timeout and play.duration(options.timeout, "timeout") or nil,
  }
  answer.json = answer.json or function() return script.json_decode(answer.body) end
  return answer
end

-- http.get(url, { headers = {...}, timeout = "5s", attempts = 1, plain = true }): { status, headers, body, json() }.
-- plain: a public page of another machine may be asked for over http, with nothing secret. Raises on a
-- status of 400 and more (kind "missing" for 404); dosrun.try turns that into nil, err.
function M.get(url, options) return request("GET", url, options, 2) end
function M.head(url, options) return request("HEAD", url, options, 2) end

-- These may change something: only inside a verb's act or undo.
function M.put(url, options) return request("PUT", url, options, 2) end
function M.post(url, options) return request("POST", url, options, 2) end
function M.patch(url, options) return request("PATCH", url, options, 2) end
function M.delete(url, options) return request("DELETE", url, options, 2) end

local function look(input)
  local ok, answer = pcall(request, "GET", input.url, { headers = input.headers }, 3)
  if ok then
    local decoded, value = pcall(script.json_decode, answer.body)
    return { body = decoded and value or answer.body }
  end
  if type(answer) == "table" and answer.kind == "missing" then return nil end
  error(answer, 0)
end

local function options_of(input, body)
  local options = { headers = input.headers }
  if type(body) == "string" then options.body = body else options.json = body end
  return options
end

local resource = {
  name = "http.resource", class = "reversible",
  key = function(input) return "HTTP " .. input.url end,
  look = look,
  want = function(input) return input.body ~= nil and { body = input.body } or nil end,
  act = function(input)
    if input.body == nil then
      local ok, err = pcall(request, "DELETE", input.url, { headers = input.headers }, 3)
      if not ok and err.kind ~= "missing" then error(err, 0) end
    else
      request("PUT", input.url, options_of(input, input.body), 3)
    end
  end,
  undo_data = function(input, before)
    local undo = { op = "http.request", url = input.url, headers = input.headers or {}, if_still = { url = input.url } }
    if before == nil then
      undo.method, undo.gone = "DELETE", true
    else
      undo.method, undo.body = "PUT", before.body
      undo.headers = { ["content-type"] = type(before.body) ~= "string" and "application/json" or nil }
      for name, value in pairs(input.headers or {}) do undo.headers[name] = value end
    end
    return undo
  end,
}

-- http.resource { url = ..., body = string or table, headers = {...} }: PUT where GET answers something
-- else; body = nil: DELETE. Undo: http.request with what GET answered before.
function M.resource(input)
  if type(input) ~= "table" or type(input.url) ~= "string" then play.fail(2, "http.resource takes { url = ..., body = ... }") end
  return verb.drive(resource, { url = input.url, body = input.body, headers = input.headers })
end

return M
