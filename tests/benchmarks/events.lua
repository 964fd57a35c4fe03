-- Each request is an event of its own: user, item, category path and event id.
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init(args)
  number = 0
  run = args[1]
end

function request()
  number = number + 1
  local item = number % 1000 + 1
  return wrk.format("GET", "/api/4711/click/user" .. number % 5000 .. "/1/" .. item
    .. "?categorypath=%2FCameras%2FCompact&eventid=" .. run .. "-" .. id .. "-" .. number)
end
