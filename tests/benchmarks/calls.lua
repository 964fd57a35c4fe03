-- Each request asks for the next user's recommendations; arguments: customer, first user, number of users.
function init(args)
  customer, first, users, number = args[1], tonumber(args[2]), tonumber(args[3]), 0
end

function request()
  number = number + 1
  local user = "u" .. first + number % users
  return wrk.format("GET", "/api/v2/" .. customer .. "/" .. user .. "/front.json?attribute=name,uri&numrecs=10")
end
