-- What listings.json asks for, through dosrun: rows of a name and the answer as JSON. The member `bytes` is base64 in { ["$bytes"] = ... }.
local dosrun = require "dosrun.v1"
local aws = dosrun.aws

local listings = dosrun.playbook { "listings", reads = true, args = { { "cloud", dosrun.choice { "moto", "ministack" } } } }

local how = {
  call = function(client, one) return client[one.operation](client, one.params) end,
  items = function(client, one) return client:items(one.operation, one.params) end,
  pages = function(client, one)
    local pages = dosrun.array {}
    for page in client:pages(one.operation, one.params) do pages[#pages + 1] = page end
    return pages
  end,
}

local function bytes_shown(value, name)
  if type(value) ~= "table" then return end
  if type(value[name]) == "string" then value[name] = { ["$bytes"] = dosrun.base64(value[name]) } end
  for _, inner in pairs(value) do bytes_shown(inner, name) end
end

listings:step("list", function(run)
  local rows = {}
  for _, one in ipairs(dosrun.json.decode(dosrun.read "listings.json")) do
    if not one.only or one.only == run.args.cloud then
      local answer, problem = dosrun.try(how[one.how], aws[one.service:gsub("-", "_")], one)
      if one.bytes then bytes_shown(answer, one.bytes) end
      rows[#rows + 1] = { one.name, dosrun.json.encode(answer or { ["$error"] = problem.code or problem.message }) }
    end
  end
  run:report { title = "listings", columns = { "name", "answer" }, rows = rows }
end)

return listings
