-- What all services share: errors, ARNs, ids, tags.
local M = { targets = {} }

-- Ends the operation with an error of AWS's. status nil: as the service's model says, else 400; more: members of it.
function M.fail(code, message, status, more)
  error({ code = code, message = message, status = status, more = more }, 0)
end

function M.arn(service, region, resource)
  return ("arn:aws:%s:%s:%s:%s"):format(service, region, cloud.account, resource)
end

-- AROA..., ASIA...: upper-case letters and digits, the same for the same purpose.
function M.id(prefix, purpose, len)
  return prefix .. cloud.hex(purpose, len):upper()
end

-- The keys of an object, sorted.
function M.keys(object)
  local keys = {}
  for key in pairs(object or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- [{Key, Value}] as an object and back.
function M.tags_in(list, into)
  into = into or {}
  for _, tag in ipairs(list or {}) do into[tag.Key] = tag.Value or "" end
  return into
end

function M.tags_out(tags)
  local list = doc.array {}
  for _, key in ipairs(M.keys(tags)) do list[#list + 1] = { Key = key, Value = tags[key] } end
  return list
end

-- A page of a list: items, and the marker of the next page or nil. A marker is the place in the list.
function M.page(list, marker, most)
  local first, page = (tonumber(marker) or 0) + 1, doc.array {}
  for i = first, math.min(#list, first + most - 1) do page[#page + 1] = list[i] end
  local after = first + #page - 1
  return page, after < #list and tostring(math.tointeger(after)) or nil
end

-- RFC 3986, as IAM answers with policy documents.
function M.url(text)
  return (text:gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

return M
