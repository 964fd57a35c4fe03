-- Each request is a batch of 50 events.
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init(args)
  number = 0
  run = args[1]
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  local events = {}
  for place = 1, 50 do
    number = number + 1
    events[place] = string.format(
      '{"event":"click","user":"user%d","itemtype":1,"item":%d,"categorypath":"Cameras/Compact","eventid":"%s-%d-%d"}',
      number % 5000, number % 1000 + 1, run, id, number)
  end
  return wrk.format("POST", "/api/4711/events", nil, "[" .. table.concat(events, ",") .. "]")
end
