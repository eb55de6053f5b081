-- What the loops must find: an undo that leaves something behind, and an effect that doubles when it is sent twice.
local dosrun = require "dosrun.v1"
local http = dosrun.http
local leaky = dosrun.playbook { "leaky", args = {} }
local host = "https://leaky.example.com"

local pages = dosrun.verb { "pages", class = "reversible",
  key = function() return "pages" end,
  look = function() return http.get(host .. "/page").body end,
  want = function() return "text" end,
  act = function()
    http.put(host .. "/beside", { body = "left behind" })
    http.put(host .. "/page", { body = "text" })
  end,
  undo = function() http.put(host .. "/page", { body = "" }) end }

local entry = dosrun.verb { "entry", class = "reversible",
  key = function() return "entry" end,
  look = function() return http.get(host .. "/log").body ~= "" end,
  want = function() return true end,
  act = function() http.post(host .. "/log", { body = "x" }) end,
  undo = function() http.put(host .. "/log", { body = "" }) end }

leaky:step("entry", function() entry {} end)
leaky:step("pages", function() pages {} end)
leaky:step("last", function() http.resource { url = host .. "/last", body = "text" } end)
return leaky
