-- The tree's own rules, checked by reading it (ARCHITECTURE.md has the graph). Plain Lua 5.4; run at the root.
-- One test a rule; what breaks it is printed as file:line: rule. The last line is "N passed, N failed".

-- Which rooms each room may include, beside itself and what everyone may.
local MAY_INCLUDE = {
  base = {}, codec = { "base" }, world = {}, cli = {}, script = {}, store = {},
  http = { "world" },
  change = { "store", "http" },
  kube = { "http" }, aws = { "http" }, istio = { "kube" },
  run = { "change", "script" },
  bind = { "script", "change", "aws", "kube", "istio" },
  sandbox = {},
}
local EVERYONE = { codec = true, base = true }
local EVERYONE_FILE = { ["world/world.h"] = true }
-- Tables that are no logic: the sandbox reads and writes the wire by the same ones.
local ALSO = { sandbox = { ["aws/model.h"] = true } }
local NOT_FOR = { -- less than everyone
  base = { codec = true, ["world/world.h"] = true },
  codec = { ["world/world.h"] = true },
  cli = { ["world/world.h"] = true },
}
-- Who may include which outside library; "" is the wiring in engine/ itself.
local LIBRARY_OWNERS = {
  { "^lua", { "script", "bind", "sandbox" } }, { "^lauxlib", { "script", "bind", "sandbox" } },
  { "^curl/", { "world" } }, { "^uv%.h", { "world" } }, { "^openssl/", { "base" } }, { "^zlib", { "base" } },
  { "^jansson", { "codec" } }, { "^yaml%.h", { "codec" } }, { "^expat", { "codec" } }, { "^archive", { "codec" } },
}
-- clang-format holds .c to 120 columns; headers and Lua are laid by hand, tables and conditions may be wider.
local LINES_MAX, FUNCTION_MAX, COLUMNS_MAX = 800, 70, 160

-- Calls that have no place in engine/, with where they do and what to take instead.
local BANNED = {
  { "strcpy", {}, "mem_text, buf_add" }, { "strcat", {}, "buf_add" }, { "strncpy", {}, "mem_view" },
  { "sprintf", {}, "snprintf, mem_printf" }, { "vsprintf", {}, "buf_vaddf" }, { "gets", {}, "disk_read" },
  { "strtok", {}, "views" }, { "alloca", {}, "mem_array" },
  { "system", {}, "process_start" }, { "popen", {}, "process_start" },
  { "getenv", { "^engine/dosrun[%w_]*%.c$", "^engine/cluster%.c$", "^engine/cloud%.c$", "^engine/main%.c$", "^engine/world/real_process%.c$" },
    "command_env_fn" },
  { "time", {}, "world_now_ms" }, { "rand", {}, "world_random" }, { "random", {}, "world_random" },
  { "srand", {}, "world_random" },
  { "gmtime", {}, "gmtime_r" }, { "localtime", {}, "gmtime_r" }, { "ctime", {}, "strftime" }, { "asctime", {}, "strftime" },
  { "printf", { "^engine/cli/" }, "events" }, { "puts", { "^engine/cli/" }, "events" },
  { "putchar", { "^engine/cli/" }, "events" },
  { "pthread_create", {}, "the loop: there is one thread" }, { "fork", { "^engine/world/" }, "process_start" },
  { "sleep", {}, "timer_start" }, { "usleep", {}, "timer_start" },
  { "atoi", {}, "strtol" }, { "signal", { "^engine/world/" }, "sigaction" },
}

local failures, passed, failed = 0, 0, 0

local function complain(file, line, format, ...)
  failures = failures + 1
  print(("%s:%d: %s"):format(file, line, format:format(...)))
end

local function rule(name, check)
  failures = 0
  check()
  if failures == 0 then passed = passed + 1 else failed = failed + 1; print(("FAIL %s: %d"):format(name, failures)) end
end

local function list(command)
  local pipe, lines = assert(io.popen(command)), {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  assert(pipe:close(), command)
  return lines
end

-- Also what is not committed yet; what was deleted is left out.
local function files(pattern)
  local found = {}
  for _, path in ipairs(list("git ls-files --cached --others --exclude-standard | sort -u")) do
    local file = path:match(pattern) and io.open(path, "rb")
    if file then
      found[#found + 1] = { path = path, text = file:read("a") }
      file:close()
    end
  end
  return found
end

local function room_of(path) return path:match("^engine/([%w_]+)/") or "" end
local function line_at(text, position) return select(2, text:sub(1, position):gsub("\n", "")) + 1 end
local function contains(values, value)
  for _, one in ipairs(values) do if one == value then return true end end
  return false
end
local function matches_any(text, patterns)
  for _, pattern in ipairs(patterns) do if text:match(pattern) then return true end end
  return false
end

-- C text with comments, and string contents when `strings` is set, blanked out; lines stay where they are.
local function code_of(text, strings)
  local out, at = {}, 1
  local function blank(piece) return (piece:gsub("[^\n]", " ")) end
  while at <= #text do
    local from = text:find("[/\"']", at)
    if not from then out[#out + 1] = text:sub(at); break end
    out[#out + 1] = text:sub(at, from - 1)
    local two, stop = text:sub(from, from + 1), from
    if two == "/*" then
      stop = select(2, text:find("*/", from + 2, true)) or #text
      out[#out + 1] = blank(text:sub(from, stop))
    elseif two == "//" then
      stop = (text:find("\n", from, true) or #text + 1) - 1
      out[#out + 1] = blank(text:sub(from, stop))
    elseif text:sub(from, from) == "/" then
      out[#out + 1] = "/"
    else
      local quote = text:sub(from, from)
      stop = from + 1
      while stop <= #text and text:sub(stop, stop) ~= quote do
        if text:sub(stop, stop) == "\\" then stop = stop + 1 end
        stop = stop + 1
      end
      local literal = text:sub(from, stop)
      out[#out + 1] = strings and quote .. blank(literal:sub(2, -2)) .. quote or literal
    end
    at = stop + 1
  end
  return table.concat(out)
end

local engine = files("^engine/.*%.[ch]$")
local library = files("^lua/.*%.lua$")
local tests = files("^tests/.*")
for _, file in ipairs(engine) do
  file.code, file.bare = code_of(file.text), code_of(file.text, true)
  file.room = room_of(file.path)
end

-- ---- includes ----

local function may_include(room, target)
  local owner = target:match("^([%w_]+)/")
  if not owner or owner == room or room == "" then return true end
  local less = NOT_FOR[room] or {}
  if less[owner] or less[target] then return false end
  return EVERYONE[owner] or EVERYONE_FILE[target] or (ALSO[room] or {})[target] or contains(MAY_INCLUDE[room] or {}, owner)
end

rule("include graph", function()
  for _, file in ipairs(engine) do
    if file.room ~= "" and not MAY_INCLUDE[file.room] then complain(file.path, 1, "room %s is not in the graph", file.room) end
    for position, target in file.code:gmatch('\n?()#include "([^"]+)"') do
      if not may_include(file.room, target) then
        complain(file.path, line_at(file.text, position), "%s may not include %s", file.room, target)
      end
    end
  end
end)

rule("each outside library has one owner", function()
  for _, file in ipairs(engine) do
    for position, target in file.code:gmatch("\n?()#include <([^>]+)>") do
      for _, owned in ipairs(LIBRARY_OWNERS) do
        if target:match(owned[1]) and not contains(owned[2], file.room) then
          complain(file.path, line_at(file.text, position), "<%s> belongs to %s", target, table.concat(owned[2], ", "))
        end
      end
    end
  end
end)

rule("own header first, then ours, then the libraries'", function()
  for _, file in ipairs(engine) do
    local first = file.code:match('#include "([^"]+)"')
    if file.path:match("%.c$") and file.room ~= "" and first and not first:match("^" .. file.room .. "/") then
      complain(file.path, 1, "the first include is %s, not one of its own room", first)
    end
    local outside = false
    for position, mark, target in file.code:gmatch('()#include ([<"])([^>"]+)') do
      if mark == "<" then outside = true
      elseif outside then complain(file.path, line_at(file.text, position), "%s comes after a library's header", target) end
    end
  end
end)

-- ---- sizes and shapes ----

rule("files have at most " .. LINES_MAX .. " lines of " .. COLUMNS_MAX .. " columns", function()
  local others = { "^tests/.*%.[ch]$", "^tests/[%w_]*%.lua$", "^playbooks/.*%.lua$" }
  for _, set in ipairs { engine, library, files(others[1]), files(others[2]), files(others[3]) } do
    for _, file in ipairs(set) do
      local number = 0
      for line in file.text:gmatch("([^\n]*)\n") do
        number = number + 1
        local columns = utf8.len(line) or #line
        if columns > COLUMNS_MAX then complain(file.path, number, "%d columns", columns) end
      end
      if number > LINES_MAX then complain(file.path, number, "%d lines", number) end
    end
  end
end)

rule("functions have at most " .. FUNCTION_MAX .. " lines", function()
  for _, file in ipairs(engine) do
    local number, opened = 0, nil
    for line in file.bare:gmatch("([^\n]*)\n") do
      number = number + 1
      if line == "{" then opened = number end
      if line:match("^}") and opened then
        if line == "}" and number - opened + 1 > FUNCTION_MAX then
          complain(file.path, opened, "a function of %d lines", number - opened + 1)
        end
        opened = nil
      end
    end
  end
end)

rule("headers begin with #pragma once and say what they are", function()
  for _, file in ipairs(engine) do
    if file.path:match("%.h$") then
      local head = file.text:match("^#pragma once\n(/%*.-%*/)")
      local room = file.path:match("^engine/([%w_]+)/%1%.h$")
      if not head then complain(file.path, 1, "not #pragma once, then a comment that says what this is")
      elseif room and not (head:match("%* " .. room .. ": ") and head:match("\n %* Owns: ") and head:match("Never: ")) then
        complain(file.path, 1, "the room's head comment has not the form \"%s: ... Owns: ... Never: ...\"", room)
      end
    end
  end
end)

rule("no typedef of structs, no names in _t, no unfinished work", function()
  for _, file in ipairs(engine) do
    for position, defined in file.code:gmatch("()%f[%w_]typedef%s+struct([^;]*);") do
      if not defined:match("%(") then complain(file.path, line_at(file.text, position), "typedef of a struct") end
    end
    for position, name in file.code:gmatch("()%f[%w_]struct%s+([%w_]+_t)%s*{") do
      complain(file.path, line_at(file.text, position), "struct %s", name)
    end
  end
  for _, set in ipairs { engine, library } do
    for _, file in ipairs(set) do
      for position, word in file.text:gmatch("()%f[%w](%u+)%f[%W]") do
        if word == "TODO" or word == "FIXME" or word == "XXX" or word == "HACK" then
          complain(file.path, line_at(file.text, position), word)
        end
      end
    end
  end
end)

rule("what is said outside of cli is the last word before the end", function()
  for _, file in ipairs(engine) do
    for position in file.bare:gmatch("()%f[%w_]fprintf%(") do
      local after = file.bare:sub(position):match("^[^\n]*\n[^\n]*\n?[^\n]*\n?[^\n]*") or ""
      if file.room ~= "cli" and not after:match("abort%(") and not after:match("_exit%(") and not after:match("fflush%(stderr") then
        complain(file.path, line_at(file.text, position), "fprintf(): take events")
      end
    end
  end
end)

rule("no banned calls", function()
  for _, file in ipairs(engine) do
    for _, banned in ipairs(BANNED) do
      local name, allowed, instead = banned[1], banned[2], banned[3]
      if not matches_any(file.path, allowed) then
        for before, position in file.bare:gmatch("([%w_%.>]?)()%f[%w_]" .. name .. "%(") do
          if before == "" then complain(file.path, line_at(file.text, position), "%s(): take %s", name, instead) end
        end
      end
    end
  end
end)

-- ---- Lua ----

rule("every Lua function of C has its signature above it, and is used or tested", function()
  local uses = {}
  for _, set in ipairs { library, tests, files("^playbooks/.*%.lua$") } do
    for _, file in ipairs(set) do
      for name in file.text:gmatch("[%.:]([%a_][%w_]*)") do uses[name] = true end
    end
  end
  for _, file in ipairs(engine) do
    for position, entries in file.code:gmatch("()luaL_Reg [%w_]+%[%] = (%b{})") do
      for name, fn in entries:gmatch('{"([^"]+)",%s*([%w_]+)}') do
        local at = file.text:find("[\n ]%*?" .. fn .. "%(lua_State %*%w+%)\n{")
        if not name:match("^__") and at and not fn:match("^luaopen_") then
          local comment = file.text:sub(math.max(1, at - 1500), at):match(".*/(%*.-)%*/%s*[%w ]*$") or ""
          if not comment:match("%f[%w_]" .. name .. "%f[^%w_]") then
            complain(file.path, line_at(file.text, at) + 1, "%s has no comment with its Lua signature (%s) above", fn, name)
          end
        end
        if not name:match("^__") and not fn:match("^luaopen_") and not uses[name] then
          complain(file.path, line_at(file.text, position), "\"%s\" is neither used nor tested", name)
        end
      end
    end
  end
end)

rule("every Lua file of the library returns what it offers", function()
  local seen = {}
  for _, file in ipairs(library) do
    local last = file.text:match("([^\n]*)\n*$")
    if file.path ~= "lua/embed.lua" and not file.path:match("^lua/meta/") then
      local tail = file.text:match("\n(return.*)$") or file.text:match("^(return.*)$")
      if not tail then complain(file.path, line_at(file.text, #file.text), "does not end with return, but: %s", last) end
    end
    local name = file.path:gsub("^lua/", ""):gsub("/init%.lua$", ""):gsub("%.lua$", ""):gsub("/", ".")
    if seen[name] then complain(file.path, 1, "is required by the same name as %s: %s", seen[name], name) end
    seen[name] = file.path
  end
end)

-- ---- tables that must agree ----

rule("every event that is emitted is in EVENTS, and every one there is emitted", function()
  local known, emitted, makers = {}, {}, { event_new = true, dosrun_event = true, change_event = true }
  for _, file in ipairs(engine) do
    if file.path == "engine/base/event.c" then
      for name in file.code:match("EVENTS%[%] = (%b{})"):gmatch('{"([^"]+)",') do known[name] = true end
    end
  end
  for _, file in ipairs(engine) do
    if file.path ~= "engine/base/event.c" then
      for maker, position, args in file.code:gmatch("([%w_]*event[%w_]*)()(%b())") do
        if makers[maker] then
          local word = args:match('^%("([^"]+)"[,%)]') or args:match('^%([%w_%->]+, "([^"]+)"%)$')
          if word and not known[word] then
            complain(file.path, line_at(file.text, position), "event \"%s\" is not in EVENTS (engine/base/event.c)", word)
          end
        end
      end
      if file.room ~= "cli" then
        for name in file.code:gmatch('"([%a%.]+)"') do if known[name] then emitted[name] = true end end
      elseif file.code:match('"hello"') or file.code:match('"summary"') then
        emitted.summary = true -- the last line of a jsonl stream is the renderer's own
      end
    end
  end
  for name in pairs(known) do
    if not emitted[name] then complain("engine/base/event.c", 1, "nobody emits \"%s\"", name) end
  end
end)

rule("every error code that is used is explained", function()
  local known = {}
  for _, file in ipairs(engine) do
    if file.path == "engine/cli/explain_table.c" then
      for code in file.code:gmatch('{"(%u%d%d%d)",') do
        if known[code] then complain(file.path, 1, "%s is explained twice", code) end
        known[code] = true
      end
    end
  end
  for _, set in ipairs { engine, library } do
    for _, file in ipairs(set) do
      if file.path ~= "engine/cli/explain_table.c" then
        for position, code in (file.code or file.text):gmatch('()"(%u%d%d%d)"') do
          if not known[code] then
            complain(file.path, line_at(file.text, position), "%s has no entry in engine/cli/explain_table.c", code)
          end
        end
      end
    end
  end
end)

rule("every unit test belongs to a room", function()
  for _, file in ipairs(files("^tests/unit/.*_.*%.c$")) do
    local room = file.path:match("^tests/unit/(%a+)_")
    if not MAY_INCLUDE[room] then complain(file.path, 1, "there is no room %s", room) end
  end
end)

print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
