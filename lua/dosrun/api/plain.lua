-- dosrun.file, dosrun.http, dosrun.process, dosrun.image.
local answer = { "dosrun.Answer", "raises for a status of 400 and more (kind \"missing\" for 404)" }
local url = { "url", "string", "https://..., or http:// for this machine itself" }
local options = { "options", "table?", '{ headers = {...}, body = "...", json = value, timeout = "5s", attempts = number }' }

return {
  { class = "dosrun.Answer", word = "http answer", summary = "what an HTTP server answered",
    fields = { { "status", "integer", "" }, { "headers", "table<string, string>", "names in lower case" }, { "body", "string", "" },
      { "json", "fun(): any", "the body as JSON" } } },
  { "file.write", summary = "verb: the file holds exactly this text; undo puts back what was there",
    params = { { "path", "string", "relative to the project" }, { "content", "string", "" }, { "options", "table?", "{ mode = 420 }" } },
    example = 'dosrun.file.write("out/hello.txt", "hello\\n")' },
  { "file.remove", summary = "verb: there is no such file; undo puts it back", params = { { "path", "string", "" } }, example = 'dosrun.file.remove("out/hello.txt")' },
  { "file.read", summary = "a file's text", params = { { "path", "string", "" } }, returns = { "string?", "nil when there is none" },
    example = 'local text = dosrun.file.read("README.md") or ""' },
  { "file.list", summary = "the names in a folder, sorted", params = { { "path", "string", "" } }, returns = { "string[]?", "nil when there is none" },
    example = 'local names = dosrun.file.list("playbooks")' },
  { "http.get", summary = "reads", params = { url, options }, returns = answer, example = 'local answer = dosrun.http.get("https://shop.test/health")' },
  { "http.head", summary = "reads the headers", params = { url, options }, returns = answer, example = 'dosrun.http.head("https://shop.test/")' },
  { "http.put", summary = "a changing request: inside a verb's act or undo only", params = { url, options }, returns = answer },
  { "http.post", summary = "a changing request: inside a verb's act or undo only", params = { url, options }, returns = answer },
  { "http.patch", summary = "a changing request: inside a verb's act or undo only", params = { url, options }, returns = answer },
  { "http.delete", summary = "a changing request: inside a verb's act or undo only", params = { url, options }, returns = answer },
  { "http.resource", summary = "verb: PUT where GET answers something else; without a body DELETE; undo puts back what GET answered before",
    params = { { "input", "table", "{ url = ..., body = string or table, headers = {...} }" } },
    example = 'dosrun.http.resource { url = "https://shop.test/banner", body = { text = "open" } }' },
  { "process.run", summary = "runs a program, without a shell; one that is not declared to read runs inside a verb's act only",
    params = { { "argv", "string[]", "the program and its arguments" },
      { "options", "table?", '{ reads = true, input = "...", env = { "NAME=value" }, cwd = path, timeout = "30s", check = false }' } },
    returns = { "{ status: integer, stdout: string, stderr: string }", "raises when the status is not 0, unless check = false" },
    example = 'local head = dosrun.process.run({ "git", "rev-parse", "HEAD" }, { reads = true }).stdout' },
  { "image.resolve", summary = "a tag as its registry knows it now: name and digest", params = { { "image", "string", '"HOST/PATH:tag"' } },
    returns = { "string", '"HOST/PATH@sha256:..."' }, example = 'local image = dosrun.image.resolve("registry.test/games:doom")' },
}
