-- Broken playbooks, manifests, kubeconfigs, targets, arguments: one clear error each, exit 64, nothing changed.
-- A case: { name, argv, error = pattern (an extended regular expression) of the one line, files = { path = text },
-- at = "file:line" that must be named, env = { NAME = value } }. argv of true: { "check", "playbooks/p.lua" }; @ is the case's folder.
local cases = {}
local function add(case) cases[#cases + 1] = case end

local HEAD = 'local dosrun = require "dosrun.v1"\n'

-- ---- arguments ----

local plain = HEAD .. [[
return dosrun.playbook { "p", args = { { "game", dosrun.choice { "doom", "civ" } }, { "count", "integer", optional = true },
  { "time", "duration", optional = true }, { "fast", "boolean" } } }:step("one", function() end)
]]
local function arguments(name, argv, pattern) add { name = "argument " .. name, argv = argv, error = pattern, files = { ["playbooks/p.lua"] = plain } } end

arguments("unknown command", { "depoly" }, "depoly")
arguments("command mistyped", { "rollbak" }, 'did you mean "?rollback')
arguments("unknown option", { "--targt", "x", "runs" }, 'did you mean "?--target')
arguments("option without value", { "runs", "--target" }, "--target")
arguments("flag with value", { "runs", "--sandbox=maybe" }, "--sandbox")
arguments("max-parallel", { "playbooks/p.lua", "doom", "--max-parallel", "0" }, "--max-parallel.*1 to 256")
arguments("output", { "runs", "--output", "fancy" }, "--output.*fancy")
arguments("fault kind", { "--sandbox", "playbooks/p.lua", "doom", "--fault", "12:lat" }, "did you mean.*late")
arguments("fault number", { "--sandbox", "playbooks/p.lua", "doom", "--fault", "late" }, "--fault")
arguments("fault without sandbox", { "playbooks/p.lua", "doom", "--fault", "1:late" }, "--sandbox")
arguments("crash point", { "--sandbox", "playbooks/p.lua", "doom", "--crash", "1:snt" }, "did you mean.*sent")
arguments("set", { "playbooks/p.lua", "doom", "--set", "images" }, "--set.*images")
arguments("lock-wait", { "playbooks/p.lua", "doom", "--lock-wait", "5minutes" }, "--lock-wait")
arguments("seed", { "--sandbox", "playbooks/p.lua", "doom", "--seed", "-1" }, "--seed")
arguments("on-failure", { "playbooks/p.lua", "doom", "--on-failure", "rolback" }, "did you mean.*rollback")
arguments("playbook missing", { "playbooks/q.lua" }, "no playbook playbooks/q.lua")
arguments("playbook by its name", { "plan", "p" }, "did you mean playbooks/p.lua")
arguments("argument missing", { "playbooks/p.lua" }, "needs the argument game .doom, civ.")
arguments("choice", { "playbooks/p.lua", "dom" }, 'did you mean "doom"')
arguments("integer", { "playbooks/p.lua", "doom", "three" }, '"three" is no whole number')
arguments("duration", { "playbooks/p.lua", "doom", "3", "soon" }, "soon is no duration")
arguments("too many", { "playbooks/p.lua", "doom", "3", "5s", "more" }, 'takes no argument "more"')
arguments("boolean mistyped", { "playbooks/p.lua", "doom", "--fats" }, "did you mean --fast")
arguments("show without run", { "show" }, "show")
arguments("no such run", { "show", "r9-ffffff" }, "no run r9-ffffff")
arguments("nothing to resume", { "resume" }, "no unfinished run")
arguments("code", { "explain", "K999" }, "K999")
arguments("help", { "help", "rolback" }, 'did you mean "rollback"')
arguments("shell", { "completion", "tcsh" }, "tcsh")
arguments("name of a playbook", { "new", "../x" }, "is no name")
arguments("abandon unasked", { "abandon", "r1-000000" }, "--yes")

-- ---- targets ----

local function target(name, text, pattern, argv, at)
  add { name = "target " .. name, argv = argv or { "check", "playbooks/p.lua", "doom" }, error = pattern, at = at,
    files = { ["playbooks/p.lua"] = plain, ["playbooks/targets.lua"] = text } }
end

target("syntax", 'return {\n  prod = { kind = "kube" \n', "playbooks/targets.lua", nil, "playbooks/targets.lua:[23]")
target("no table", 'return "prod"\n', "must return a table")
target("nothing", "\n", "must return a table")
target("field", 'return { prod = { kind = "kube", contxt = "x" } }\n', 'prod has no field "contxt"; did you mean "context"')
target("kind", 'return { prod = { kind = "kubernetes" } }\n', 'kind is "kube", "eks" or "local"')
target("no kind", "return { prod = {} }\n", 'kind is "kube", "eks" or "local"')
target("not a table", 'return { prod = "kube" }\n', "prod must be a table")
target("two defaults", 'return { a = { kind = "kube", default = true }, b = { kind = "kube", default = true } }\n', "both a and b")
target("no default", 'return { a = { kind = "kube" }, b = { kind = "local" } }\n', "marks no target as default")
target("unknown", 'return { prod = { kind = "kube" } }\n', "no target prd; did you mean prod", { "check", "playbooks/p.lua", "doom", "--target", "prd" })
target("global", "return { prod = { kind = kube } }\n", "kube", nil, "playbooks/targets.lua:1")
target("function", 'return { prod = { kind = "kube", values = { f = function() end } } }\n', "prod.values.f: a function")
target("waits", HEAD .. 'dosrun.sleep("1s")\nreturn {}\n', "targets.lua")
add { name = "target without a file", argv = { "check", "playbooks/p.lua", "doom", "--target", "prod" }, error = "no playbooks/targets.lua",
  files = { ["playbooks/p.lua"] = plain } }

-- ---- playbooks ----

local function playbook(name, text, pattern, line, run)
  add { name = "playbook " .. name, argv = run or { "playbooks/p.lua" }, error = pattern,
    at = line and "playbooks/p.lua:" .. line, files = { ["playbooks/p.lua"] = HEAD .. text } }
end
local function step(name, text, pattern)
  playbook(name, 'local kube = dosrun.kube\nlocal p = dosrun.playbook { "p" }\np:step("one", function(run, from)\n' .. text .. "\nend)\nreturn p\n",
    pattern, 5, true)
end

playbook("syntax", "local p = = 1\n", "unexpected symbol", 2)
playbook("no return", 'dosrun.playbook { "p" }\n', "ends with `return playbook`")
playbook("returns a text", 'return "p"\n', "this one returned string")
playbook("no name", "local p = dosrun.playbook { }\nreturn p\n", "dosrun.playbook takes", 2)
playbook("field", 'local p = dosrun.playbook { "p", sumary = "x" }\nreturn p\n', 'did you mean "summary"', 2)
playbook("on_failure", 'local p = dosrun.playbook { "p", on_failure = "retry" }\nreturn p\n', 'on_failure is "rollback" or "stop"', 2)
playbook("argument type", 'local p = dosrun.playbook { "p", args = { { "n", "number" } } }\nreturn p\n', "number is no type", 2)
playbook("argument twice", 'local p = dosrun.playbook { "p", args = { { "n" }, { "n" } } }\nreturn p\n', "declared twice", 2)
playbook("argument is an option", 'local p = dosrun.playbook { "p", args = { { "target" } } }\nreturn p\n', "dosrun has an option of that name", 2)
playbook("argument without a name", 'local p = dosrun.playbook { "p", args = { {} } }\nreturn p\n', "argument 1", 2)
playbook("empty choice", 'local p = dosrun.playbook { "p", args = { { "n", dosrun.choice {} } } }\nreturn p\n', "the choice is empty", 2)
playbook("step twice", 'local p = dosrun.playbook { "p" }\np:step("a", function() end)\np:step("a", function() end)\nreturn p\n', "declared twice", 4)
playbook("needs", 'local p = dosrun.playbook { "p" }\np:step("image", function() end)\np:step("b", { needs = { "imgae" } }, function() end)\nreturn p\n',
  'did you mean "image"', 4)
playbook("step without a function", 'local p = dosrun.playbook { "p" }\np:step("a")\nreturn p\n', "needs a function", 3)
playbook("step option", 'local p = dosrun.playbook { "p" }\np:step("a", { timout = "5s" }, function() end)\nreturn p\n', 'did you mean "timeout"', 3)
playbook("timeout", 'local p = dosrun.playbook { "p" }\np:step("a", { timeout = "5 s" }, function() end)\nreturn p\n', "is no duration", 3)
playbook("verb without undo", 'dosrun.verb { "v", key = print, look = print, want = print, act = print }\n', "", 2)
playbook("verb without look", 'local f = function() end\ndosrun.verb { "v", key = f, want = f, act = f, undo = f }\n', "look must be a function", 3)
playbook("verb class", 'local f = function() end\ndosrun.verb { "v", class = "safe", key = f, look = f, want = f, act = f, undo = f }\n', "class is", 3)
playbook("verb field", 'local f = function() end\ndosrun.verb { "v", keys = f }\n', 'did you mean "key"', 3)
playbook("verb twice", 'local f = function() end\nlocal spec = { "v", key = f, look = f, want = f, act = f, undo = f }\ndosrun.verb(spec)\ndosrun.verb(spec)\n',
  "defined twice", 5)
playbook("room", "local k = dosrun.kub\n", 'did you mean "kube"', 2)
playbook("global", "local x = strng.rep('a', 3)\n", "strng", 2)
playbook("global written", "count = 1\n", "count", 2)
playbook("module", 'local x = require "shared.names"\n', "lib/shared/names.lua", 2)
playbook("module of the engine", 'local x = require "dosrun.native.kube"\n', "inside the engine", 2)
playbook("io", 'local f = io.open("/etc/passwd")\n', "io", 2)
playbook("raises", 'error("not today")\n', "not today", 2)
playbook("include", 'local p = dosrun.playbook { "p" }\np:include("other")\nreturn p\n', "include takes a playbook", 3)
playbook("recursion", "local function f() return 1 + f() end\nf()\n", "stack overflow", 2)
add { name = "playbook without a frame", argv = { "--sandbox", "playbooks/p.lua" }, error = 'playbooks/p.lua: .*did you mean "summary"',
  files = { ["playbooks/p.lua"] = HEAD .. 'return dosrun.playbook { "p", sumary = "x" }\n' } }
add { name = "playbook bytecode", argv = { "--sandbox", "playbooks/p.lua" }, error = "playbooks/p.lua",
  files = { ["playbooks/p.lua"] = "\27Lua\84\0\25\147\13\10\26\10" } }
add { name = "playbook empty", argv = { "--sandbox", "playbooks/p.lua" }, error = "ends with `return playbook`", files = { ["playbooks/p.lua"] = "" } }
step("function mistyped", 'kube.aply("manifests/a.yaml")', 'did you mean "apply"')
step("change outside of a verb", 'kube.patch("ConfigMap", "a/b", {})', "outside of a verb")
step("kind", 'kube.get("Deploymnet", "a/b")', 'did you mean "Deployment"')
step("replicas", 'kube.scale("Deployment", "a/b", -1)', "whole number")
step("url", 'dosrun.http.get(nil)', "http.get takes a URL")
step("argv", 'dosrun.process.run("ls")', "process.run takes a list")
step("path leaves the project", 'dosrun.file.write("../x", "")', "may not leave the project")
step("nil index", "local x = nil\nreturn x.y" --[[ line 6 ]], "attempt to index")
cases[#cases].at = "playbooks/p.lua:6"

-- ---- manifests ----

local values = ""
local function manifest(name, text, pattern, line, given)
  add { name = "manifest " .. name, argv = true, error = pattern, at = line and "manifests/a.yaml:" .. line,
    files = { ["manifests/a.yaml"] = text, ["playbooks/p.lua"] = HEAD .. 'local kube = dosrun.kube\nlocal p = dosrun.playbook { "p" }\n' ..
      ('p:step("one", function() kube.apply("manifests/a.yaml", {%s}) end)\nreturn p\n'):format(given or values) } }
end
local MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: b\n"

manifest("indentation", "apiVersion: v1\n kind: ConfigMap\n", "", 2)
manifest("tab", "metadata:\n\tname: a\n", "", 2)
manifest("duplicate key", MAP .. "kind: Secret\n", "kind", 6)
manifest("unclosed quote", MAP .. 'data:\n  text: "x\n', "", "[0-9]+")
manifest("value not given", MAP .. "data:\n  text: ${banner}\n", 'no value is named "banner"', 7)
manifest("value mistyped", MAP .. "data:\n  text: ${baner}\n", 'baner', 7, 'banner = "x"')
manifest("value not used", MAP, "banner", nil, 'banner = "x"')
manifest("table in a text", MAP .. "data:\n  text: a ${banner}\n", "banner", 7, "banner = { 1 }")
manifest("no kind", "apiVersion: v1\nmetadata:\n  name: a\n", "needs apiVersion and kind", 1)
manifest("no name", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: b\n", "needs metadata.name", 1)
manifest("a list", "- a\n- b\n", "", 1)
manifest("a text", "just words\n", "", 1)
manifest("kind mistyped", "apiVersion: apps/v1\nkind: Deploymnt\nmetadata:\n  name: a\n", 'did you mean "Deployment"', 1)
manifest("group mistyped", "apiVersion: app/v1\nkind: Deployment\nmetadata:\n  name: a\n", 'did you mean "apps/v1"', 1)
manifest("version", "apiVersion: apps/v2\nkind: Deployment\nmetadata:\n  name: a\n", "it has v1", 1)
manifest("namespace of a namespace", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  namespace: b\n", "belongs to no namespace", 1)
manifest("object twice", MAP .. "---\n" .. MAP, "stands twice", 7)
manifest("tag", MAP .. "data:\n  text: !!python/object x\n", "", 7)
manifest("anchor unknown", MAP .. "data: *gone\n", "", 6)
manifest("alias bomb", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" ..
  "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n", "", "[0-9]+")
manifest("number for a text", MAP .. "data:\n  count: 1\n", "cannot unmarshal number", 1)
manifest("selector", "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a, namespace: b }\nspec:\n  selector: { matchLabels: { app: a } }\n" ..
  "  template:\n    metadata: { labels: { app: b } }\n    spec: { containers: [{ name: c, image: d }] }\n", "selector.*does not match", 1)
manifest("not UTF-8", MAP .. "data:\n  text: \255\254\n", "", "[0-9]+")
add { name = "manifest missing", argv = true, error = "manifests/a.yaml", at = "playbooks/p.lua:4",
  files = { ["playbooks/p.lua"] = HEAD .. 'local kube = dosrun.kube\nlocal p = dosrun.playbook { "p" }\n' ..
    'p:step("one", function() kube.apply("manifests/a.yaml") end)\nreturn p\n' } }

-- ---- kubeconfigs ----

local function config(name, text, pattern, at, argv)
  add { name = "kubeconfig " .. name, argv = argv or { "whoami" }, env = { KUBECONFIG = "@/config" }, error = pattern,
    at = at and "config:" .. at, files = { config = text } }
end
local function whole(cluster, user, context)
  return ([[
apiVersion: v1
kind: Config
current-context: c
contexts:
- name: c
  context: %s
clusters:
- name: k
  cluster: %s
users:
- name: u
  user: %s
]]):format(context or "{ cluster: k, user: u }", cluster or '{ server: "https://127.0.0.1:1" }', user or "{ token: t }")
end

config("syntax", "apiVersion: v1\n kind: Config\n", "", 2)
config("not a mapping", "- a\n", "", 1)
config("context", whole(), "prd", nil, { "whoami", "--context", "prd" })
config("current-context", (whole():gsub("current%-context: c", "current-context: d")), '"?d"?')
config("cluster unknown", whole(nil, nil, "{ cluster: l, user: u }"), '"?l"?', "[0-9]+")
config("user unknown", whole(nil, nil, "{ cluster: k, user: v }"), '"?v"?', "[0-9]+")
config("no server", whole("{ insecure-skip-tls-verify: false }"), "server", "[0-9]+")
config("server", whole('{ server: "kube.test" }'), "server", "[0-9]+")
config("no verification", whole('{ server: "https://127.0.0.1:1", insecure-skip-tls-verify: true }'), "--insecure-skip-tls-verify")
config("certificate", whole('{ server: "https://127.0.0.1:1", certificate-authority-data: "%%%" }'), "certificate-authority-data", "[0-9]+")
config("certificate's file", whole('{ server: "https://127.0.0.1:1", certificate-authority: gone.pem }'), "gone.pem")
config("exec without command", whole(nil, "{ exec: { apiVersion: client.authentication.k8s.io/v1 } }"), "command", "[0-9]+")
config("auth provider", whole(nil, "{ auth-provider: { name: gcp } }"), "auth-provider", "[0-9]+")
config("key without certificate", whole(nil, "{ client-key-data: eA== }"), "client-key-data", "12")

-- ---- other files ----

local function pins(name, text, pattern, line)
  add { name = "pins " .. name, argv = { "pins" }, error = pattern, at = "pins.yaml:" .. line, files = { ["pins.yaml"] = text } }
end
pins("syntax", "pins:\n- name: a\n version: b\n", "", 3)
pins("field", "pins:\n- name: a\n  verion: b\n", 'did you mean "version"', 3)
pins("hash", "pins:\n- name: a\n  digest: sha256:12\n", "64 hex digits", 3)
pins("number", "pins:\n- name: a\n  version: 1.30\n", "put it in quotes", 3)
add { name = "spec syntax", argv = { "test" }, error = "tests/spec/a.lua", at = "tests/spec/a.lua:3",
  files = { ["tests/spec/a.lua"] = "test('x', function(t)\n t:ok(1\n" } }
add { name = "spec without a name", argv = { "test" }, error = "write test", at = "tests/spec/a.lua:1",
  files = { ["tests/spec/a.lua"] = "test(function() end)\n" } }
add { name = "spec none", argv = { "test" }, error = "there is no spec", files = {} }
add { name = "sandbox's script", argv = { "--sandbox", "playbooks/p.lua", "doom" }, error = "tests/sandbox.lua", at = "tests/sandbox.lua:1",
  files = { ["playbooks/p.lua"] = plain, ["tests/sandbox.lua"] = "sandbox.htp()\n" } }

return cases
