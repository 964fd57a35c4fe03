-- events.lua at a steady pace: every connection waits this many milliseconds between its requests.
local base = debug.getinfo(1, "S").source:sub(2):match("(.*/)") or "./"
dofile(base .. "events.lua")
local first = init

function init(args)
  first(args)
  pause = tonumber(args[2])
  math.randomseed(id + 1)
end

function delay()
  -- Whole milliseconds only: the fraction is made up by chance.
  return math.floor(pause * (0.5 + math.random()) + math.random())
end
