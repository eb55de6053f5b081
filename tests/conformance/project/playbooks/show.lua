-- Needs no cluster: some seconds of steps side by side, long names and long texts, for terminal.test.
local dosrun = require "dosrun.v1"
local file = dosrun.file

local show = dosrun.playbook { "show", args = { { "pace", default = "300ms" } }, on_failure = "stop" }

local function words(name, count)
  local list = {}
  for i = 1, count do list[i] = ("%s%03d"):format(name, i) end
  return table.concat(list, " ")
end

show:step("short", function(run)
  run:log(words("first", 3))
  run:sleep(run.args.pace)
end)
for i = 1, 6 do
  show:step("side-by-side-" .. i, { needs = { "short" } }, function(run)
    for turn = 1, 4 do
      run:sleep(run.args.pace)
      run:log("%s", words(("s%dt%d-"):format(i, turn), 5 * i))
    end
    file.write(("out-%d.txt"):format(i), "step " .. i .. "\n")
  end)
end
show:step("a-step-with-quite-a-long-name-that-leaves-little-room", function(run)
  run:log("Grüße, 你好世界, %s", words("wide", 30))
  run:sleep(run.args.pace)
end)
return show
