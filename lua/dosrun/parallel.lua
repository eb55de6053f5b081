-- parallel(list, max): calls every function of the list as a task of its own, at most max at once (8),
-- and returns their first results in the list's order. After a failure no further one is started;
-- those under way are awaited, then the error of the first in the list's order is raised.
local task = require "dosrun.native.task"
local native = require "dosrun.native.script"

return function(list, max)
  if type(list) ~= "table" then native.raise { message = "parallel takes a list of functions", explain = "S404" } end
  for i, f in ipairs(list) do
    if type(f) ~= "function" then
      native.raise { message = ("parallel: entry %d is a %s, not a function"):format(i, type(f)), explain = "S404" }
    end
  end
  local results, errors, next_one = {}, {}, 1
  local function worker()
    while next_one <= #list and next(errors) == nil do
      local i = next_one
      next_one = i + 1
      local ok, value = pcall(list[i])
      if ok then results[i] = value else errors[i] = { value } end
    end
  end
  local handles = {}
  for i = 1, math.min(max or 8, #list) do handles[i] = task.spawn(worker) end
  for _, handle in ipairs(handles) do handle:join() end
  for _, failed in pairs(errors) do error(failed[1], 0) end
  return table.unpack(results, 1, #list)
end
