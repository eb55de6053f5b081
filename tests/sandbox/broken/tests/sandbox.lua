sandbox.state.pages = sandbox.state.pages or {}

sandbox.http("https://leaky.example.com", function(request)
  local pages, path = sandbox.state.pages, request.path
  if request.method == "PUT" then pages[path] = request.body end
  if request.method == "POST" then pages[path] = (pages[path] or "") .. request.body end
  if request.method == "DELETE" then pages[path] = nil end
  if path == "/last" and not pages[path] then return { status = 404 } end
  return { status = 200, body = pages[path] or "" }
end)
