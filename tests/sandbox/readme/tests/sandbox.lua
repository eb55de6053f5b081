-- What this project talks to, when it runs in the sandbox: a status page and git.
sandbox.state.pages = sandbox.state.pages or {}
sandbox.state.tags = sandbox.state.tags or {}

sandbox.http("https://status.example.com", function(request)
  local pages, path = sandbox.state.pages, request.path
  if request.method == "PUT" then
    pages[path] = request.body
    return { status = 200 }
  end
  local page = pages[path]
  if not page then return { status = 404 } end
  if request.method == "DELETE" then
    pages[path] = nil
    return { status = 204 }
  end
  return { status = 200, body = page }
end)

sandbox.program("git", function(argv)
  local tags, name = sandbox.state.tags, argv[#argv]
  if argv[3] == "--list" then return { status = 0, stdout = tags[name] and name .. "\n" or "" } end
  local delete = argv[3] == "--delete"
  if delete ~= (tags[name] or false) then
    return { status = 128, stderr = ("fatal: tag '%s' %s\n"):format(name, delete and "not found" or "already exists") }
  end
  tags[name] = not delete and true or nil
  return { status = 0 }
end)
