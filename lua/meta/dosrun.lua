---@meta dosrun.v1
-- Made from lua/dosrun/api by `dosrun new`; changes here are lost.

---@class dosrun
local dosrun = {}

--- a playbook: what a file declares and returns
---@class dosrun.Playbook
local Playbook = {}

--- declares a step; it waits for all steps above it, or for those that `needs` names
---@param name string its name
---@param options table|function { needs = { names }, timeout = "5m", keep = boolean, retry = number }; may be left out
---@param body? function function(run, from): what it does; its value is `from[name]` of later steps
---@return dosrun.Playbook # the playbook itself
function Playbook:step(name, options, body) end

--- adds the steps of another playbook after all steps above
---@param other dosrun.Playbook what its file returns
---@param args? table its arguments by name
---@return dosrun.Playbook # the playbook itself
function Playbook:include(other, args) end

--- what a step's function gets as its first argument
---@class dosrun.Run
---@field args table<string, any> the playbook's arguments by name
---@field values table<string, any> values of the target, then --set
---@field target string the target's name
---@field kind string "kube", "eks" or "local"
---@field id string the run's id
---@field sandbox boolean is this the simulated cloud?
local Run = {}

--- a line for people
---@param text string as string.format
---@param ... any
function Run:log(text, ...) end

--- a warning for people
---@param text string as string.format
---@param ... any
function Run:warn(text, ...) end

--- waits; in the sandbox time jumps
---@param duration string|number "30s", "5m", or seconds
function Run:sleep(duration) end

--- a value of targets.lua or --set
---@param name string
---@param fallback any when nobody set it
---@return any
function Run:value(name, fallback) end

--- a table on stdout
---@param facts table { title = "...", columns = { names }, rows = { { cells } } }
function Run:report(facts) end

--- nothing is changed in this run (plan, check), so there is no use in waiting for an effect
---@return boolean
function Run:planning() end

--- differences that a reading playbook found; a list that is not empty makes the exit code 2
---@param list table[] { { what = ..., want = ..., found = ... } }
function Run:drift(list) end

--- what kube.apply gives
---@class dosrun.Applied
---@field set string the set's name
---@field objects table[] { ref, object, manifest } of each
local Applied = {}

--- waits until every object is ready; ends early when one never will be
---@param options? table { timeout = "5m" }
---@return dosrun.Applied # itself
function Applied:wait(options) end

--- one route of a VirtualService, whose weights are moved
---@class dosrun.Traffic
local Traffic = {}

--- the share of each version, in percent
---@return table<string, integer>? # nil when there is no such route
function Traffic:weights() end

--- verb: moves the players to a version, step by step; undo moves them back
---@param version string
---@param options? table { steps = { 10, 50, 100 }, interval = "30s", gate = function(weight) return true end }
function Traffic:to(version, options) end

--- an AWS service: each operation is a method, as client:describe_cluster { name = ... }; what only reads is free, all else is for a verb's act
---@class dosrun.AwsClient
---@field service string "eks"
local AwsClient = {}

--- the pages of an operation, one after the other: for page in client:pages(...) do
---@param operation string "describe_volumes"
---@param params? table the operation's members, as AWS names them
---@return function # an iterator over answers
function AwsClient:pages(operation, params) end

--- what all pages of an operation list
---@param operation string
---@param params? table the operation's members, as AWS names them
---@return table[]
function AwsClient:items(operation, params) end

--- waits until the service says so; ends early when it never will
---@param waiter string "cluster_active"
---@param params? table the operation's members, as AWS names them
---@param options? table { timeout = "20m" }
---@return table? # the answer that ended it
function AwsClient:wait(waiter, params, options) end

--- a file that is sent as the body of a call
---@class dosrun.AwsFile
---@field path string
local AwsFile = {}

--- what an HTTP server answered
---@class dosrun.Answer
---@field status integer
---@field headers table<string, string> names in lower case
---@field body string
---@field json fun(): any the body as JSON
local Answer = {}

--- what a run in a spec was
---@class dosrun.Result
---@field exit integer the exit code; 137 after a crash
---@field how string "done", "undone", "stopped", ...
---@field error { message: string, explain: string, file: string, line: integer, step: string }?
---@field changes table[] { key, verb, step, class, outcome }; of a plan { key, sign, fields }
---@field calls table[] { attempt, class, method, url, step }
---@field events table[] all of them
---@field run string the run's id
---@field text string what it printed as a result
---@field stdout string
---@field stderr string
local Result = {}

--- the events of one type
---@param type string "change.end"
---@return table[]
function Result:all(type) end

--- does any output hold this text?
---@param text string
---@return boolean
function Result:has(text) end

--- what the function of a test gets
---@class dosrun.Test
local Test = {}

--- runs a playbook in the test's sandbox
---@param playbook string its path: playbooks/hello.lua
---@param args? string[] its arguments
---@param options? table { faults = { "12:late" }, crash = "9:sent", set = {...}, seed = 1, target = "...", yes = true, edited = true }
---@return dosrun.Result
function Test:run(playbook, args, options) end

--- what a run would change; exit 2 when there is something
---@param playbook string its path: playbooks/hello.lua
---@param args? string[] its arguments
---@param options? table { faults = { "12:late" }, crash = "9:sent", set = {...}, seed = 1, target = "...", yes = true, edited = true }
---@return dosrun.Result
function Test:plan(playbook, args, options) end

--- checks a playbook offline
---@param playbook string its path: playbooks/hello.lua
---@param args? string[] its arguments
---@param options? table { faults = { "12:late" }, crash = "9:sent", set = {...}, seed = 1, target = "...", yes = true, edited = true }
---@return dosrun.Result
function Test:check(playbook, args, options) end

--- goes on with the run that was interrupted
---@param options? table { faults = { "12:late" }, crash = "9:sent", set = {...}, seed = 1, target = "...", yes = true, edited = true }
---@return dosrun.Result
function Test:resume(options) end

--- undoes the last run
---@param options? table { faults = { "12:late" }, crash = "9:sent", set = {...}, seed = 1, target = "...", yes = true, edited = true }
---@return dosrun.Result
function Test:rollback(options) end

--- the simulated cloud as text, sorted; two of them can be compared
---@return string
function Test:store() end

--- scripts hosts and programs for the runs that follow, as tests/sandbox.lua does
---@param text string sandbox.http("https://shop.test/", function(request) return { status = 200, json = {} } end)
function Test:sandbox(text) end

--- fails the test unless the condition holds
---@param condition any
---@param text? string
function Test:ok(condition, text) end

--- fails the test unless both are equal, in depth
---@param found any
---@param want any
---@param text? string
function Test:equal(found, want, text) end

--- fails the test unless the text matches a Lua pattern
---@param text string
---@param pattern string
function Test:match(text, pattern) end

dosrun.json = {}
dosrun.yaml = {}
---@class dosrun.kube
dosrun.kube = {}
---@class dosrun.istio
dosrun.istio = {}
---@class dosrun.image
dosrun.image = {}
---@class dosrun.http
dosrun.http = {}
---@class dosrun.file
dosrun.file = {}
---@class dosrun.process
dosrun.process = {}

--- declares a playbook; its file ends with `return` of it
---@param spec table { "name", summary = "...", args = { { "game", type } }, on_failure = "rollback" or "stop", reads = boolean }
---@return dosrun.Playbook # add steps to it
function dosrun.playbook(spec) end

--- the type of an argument that is one of several words
---@param words string[] the words
---@return table # the type
function dosrun.choice(words) end

--- the names in manifests/games/, for dosrun.choice
---@type string[]
dosrun.games = nil

--- defines a verb: look reads what is, want says what shall be, act makes it so where they differ, undo takes it back
---@param spec table { "name", class = "reversible", "compensable" or "pivot", key = f(i), look = f(i), want = f(i), act = f(i, before), undo = f(i, before) }
---@return fun(input: table): any # call it in a step with plain data
function dosrun.verb(spec) end

--- false when a value holds, at any depth, what only a run can know (in a plan or a check)
---@param value any
---@return boolean
function dosrun.known(value) end

--- null of JSON and YAML; nil leaves a field out
---@type userdata
dosrun.null = nil

--- marks a table as a list, so that an empty one is [] and not {}
---@param list table
---@return table # the same table
function dosrun.array(list) end

--- calls a function: its results, or nil and the error
---@param f function
---@param ... any its arguments
---@return any # its results, or nil and { kind, message, code, status }
function dosrun.try(f, ...) end

--- runs functions side by side and gives their first results in order; of a list, as a list
---@param ... function or a list of them, and how many at once (--max-parallel)
---@return any # a result for each
function dosrun.parallel(...) end

--- waits; in the sandbox time jumps
---@param duration string|number "30s", "5m", or seconds
function dosrun.sleep(duration) end

--- a line for people
---@param text string as string.format
---@param ... any
function dosrun.log(text, ...) end

--- a warning for people
---@param text string as string.format
---@param ... any
function dosrun.warn(text, ...) end

--- milliseconds since 1970, UTC; virtual in the sandbox
---@return integer
function dosrun.now() end

--- a generated secret, the same on every resume of this run
---@param purpose string one secret a purpose
---@param length? integer characters, 32
---@return string # a marked string: it is shown nowhere
function dosrun.secret(purpose, length) end

--- the text of a project file, kept with the run, so that resume and rollback see the same
---@param path string relative to the project
---@return string # raises when there is none
function dosrun.read(path) end

--- the names of the files in a folder of the project, sorted, kept with the run
---@param folder string relative to the project
---@return string[]? # nil when there is no such folder
function dosrun.files(folder) end

--- text in base64
---@param text string
---@return string
function dosrun.base64(text) end

--- SHA-256 of a text, in hex
---@param text string
---@return string
function dosrun.sha256(text) end

--- a value as JSON
---@param value any
---@return string
function dosrun.json.encode(value) end

--- JSON as a value
---@param text string
---@return any
function dosrun.json.decode(text) end

--- a value as YAML
---@param value any
---@return string
function dosrun.yaml.encode(value) end

--- a list of the documents in a YAML text
---@param text string
---@param name? string what errors call it
---@return any[]
function dosrun.yaml.decode(text, name) end

--- verb: every object of a manifest made so, by server-side apply, in order; what left the set is pruned; undo restores each field
---@param source string|table[] a manifest's path, or a list of objects
---@param values? table for ${name} in the manifest; each must be used
---@param options? table { set = "name", namespace = "...", force = boolean, prune = boolean }
---@return dosrun.Applied # :wait() waits until all of it is ready
function dosrun.kube.apply(source, values, options) end

--- an object, or nil when it is not there
---@param kind string "Deployment", "deploy", "deployments.apps"
---@param name string "namespace/name", or "name"
---@return table?
function dosrun.kube.get(kind, name) end

--- all objects of a kind
---@param kind string "Deployment", "deploy", "deployments.apps"
---@param options? table { namespace = ..., labels = ..., fields = ... }
---@return table[]
function dosrun.kube.list(kind, options) end

--- waits until an object is ready; ends early when it never will be
---@param kind string "Deployment", "deploy", "deployments.apps"
---@param name string "namespace/name", or "name"
---@param options? table { timeout = "5m" }
function dosrun.kube.wait(kind, name, options) end

--- verb: this many replicas
---@param kind string "Deployment", "deploy", "deployments.apps"
---@param name string "namespace/name", or "name"
---@param replicas integer
function dosrun.kube.scale(kind, name, replicas) end

--- verb: a rollout of the same template
---@param kind string "Deployment", "deploy", "deployments.apps"
---@param name string "namespace/name", or "name"
function dosrun.kube.restart(kind, name) end

--- verb: a Secret under a name of its own for each content; one that holds all of it already is kept
---@param spec table { namespace = ..., name = ..., generate = { password = 24 }, data = { user = "..." }, set = "..." }
---@return string # its real name
function dosrun.kube.secret(spec) end

--- verb: no such object; undo creates it again where nothing is lost
---@param kind string "Deployment", "deploy", "deployments.apps"
---@param name string "namespace/name", or "name"
function dosrun.kube.delete(kind, name) end

--- verb: everything that a set's inventory lists, then the inventory
---@param spec table { set = "name", timeout = "5m" }
function dosrun.kube.remove(spec) end

--- the sets that were applied here, from their inventories
---@return table[] # { name, objects }
function dosrun.kube.sets() end

--- what differs from what the sets' inventories say, for run:drift
---@param options? table { prefix = "dos-game." }: only sets whose name begins so
---@return table[] # { what, want, found }
function dosrun.kube.drift(options) end

--- what a container printed
---@param pod string "namespace/name"
---@param options? table { container = ..., lines = 100, previous = boolean }
---@return string
function dosrun.kube.logs(pod, options) end

--- the events of an object, oldest first
---@param kind string "Deployment", "deploy", "deployments.apps"
---@param name string "namespace/name", or "name"
---@return table[] # { type, reason, message, count, last }
function dosrun.kube.events(kind, name) end

--- a raw call: inside a verb's act or undo only
---@param kind string "Deployment", "deploy", "deployments.apps"
---@param name string "namespace/name", or "name"
---@param patch table
---@param options? table { type = "merge" or "json" }
---@return table # the object
function dosrun.kube.patch(kind, name, patch, options) end

--- a raw call: inside a verb's act or undo only
---@param object table
---@return table # the object
function dosrun.kube.create(object) end

--- any request; others than GET inside a verb's act or undo only
---@param request table { method, path, query, body, content_type }
---@return table # the answer
function dosrun.kube.raw(request) end

--- the element of a VirtualService's spec.http with this name
---@param name string of the route
---@param options? table { virtual_service = "dos-game/games", prefix = "game-", force = boolean }
---@return dosrun.Traffic
function dosrun.istio.traffic(name, options) end

--- where players reach the ingress gateway
---@param options? table { service = "istio-system/istio-ingressgateway" }
---@return string # "http://203.0.113.7"
function dosrun.istio.gateway_url(options) end

--- the port of the ingress gateway that speaks HTTP
---@param service? table the Service's object
---@return integer
function dosrun.istio.gateway_port(service) end

--- a client of a service for another region, role or endpoint; aws.eks is one for the target's own
---@param service string "eks", "elbv2", "sso-oidc"
---@param options? table { region = "us-east-1", role = "arn:...", endpoint_url = "...", attempts = 3, timeout = "60s" }
---@return dosrun.AwsClient
function dosrun.aws.client(service, options) end

--- a file of the project as the streamed body of a call, sent as it is read, whatever its size
---@param path string
---@return dosrun.AwsFile # for a member such as Body of s3:put_object
function dosrun.aws.file(path) end

--- a file of the project holds what an object of S3 does, of any size; whole and compared, or not at all
---@param object table { Bucket, Key, VersionId, to = "PATH", region, role, endpoint_url, replace = true }
---@return table # path, size, etag
function dosrun.aws.download(object) end

--- one resource made so: found by name, created with our tags, changed where it differs; else left alone
---@param resource table { kind = "s3.bucket" or "ecr.repository" or "iam.role", name, region, role, adopt, fields... }
---@return table # what AWS describes of it: repositoryUri, Arn, ...
function dosrun.aws.ensure(resource) end

--- one more kind for aws.ensure, as data; README shows one
---@param name string "sqs.queue"
---@param kind table service, find, create, delete, fields; gives, wait, holds, awaits, bound
function dosrun.aws.kind(name, kind) end

--- what a JMESPath expression finds in a value
---@param expression string "Reservations[].Instances[].InstanceId"
---@param value any
---@return any # dosrun.null when that is nothing
function dosrun.aws.query(expression, value) end

--- verb: the file holds exactly this text; undo puts back what was there
---@param path string relative to the project
---@param content string
---@param options? table { mode = 420 }
function dosrun.file.write(path, content, options) end

--- verb: there is no such file; undo puts it back
---@param path string
function dosrun.file.remove(path) end

--- a file's text
---@param path string
---@return string? # nil when there is none
function dosrun.file.read(path) end

--- the names in a folder, sorted
---@param path string
---@return string[]? # nil when there is none
function dosrun.file.list(path) end

--- reads
---@param url string https://..., or http:// for this machine itself
---@param options? table { headers = {...}, body = "...", json = value, timeout = "5s", attempts = number }
---@return dosrun.Answer # raises for a status of 400 and more (kind "missing" for 404)
function dosrun.http.get(url, options) end

--- reads the headers
---@param url string https://..., or http:// for this machine itself
---@param options? table { headers = {...}, body = "...", json = value, timeout = "5s", attempts = number }
---@return dosrun.Answer # raises for a status of 400 and more (kind "missing" for 404)
function dosrun.http.head(url, options) end

--- a changing request: inside a verb's act or undo only
---@param url string https://..., or http:// for this machine itself
---@param options? table { headers = {...}, body = "...", json = value, timeout = "5s", attempts = number }
---@return dosrun.Answer # raises for a status of 400 and more (kind "missing" for 404)
function dosrun.http.put(url, options) end

--- a changing request: inside a verb's act or undo only
---@param url string https://..., or http:// for this machine itself
---@param options? table { headers = {...}, body = "...", json = value, timeout = "5s", attempts = number }
---@return dosrun.Answer # raises for a status of 400 and more (kind "missing" for 404)
function dosrun.http.post(url, options) end

--- a changing request: inside a verb's act or undo only
---@param url string https://..., or http:// for this machine itself
---@param options? table { headers = {...}, body = "...", json = value, timeout = "5s", attempts = number }
---@return dosrun.Answer # raises for a status of 400 and more (kind "missing" for 404)
function dosrun.http.patch(url, options) end

--- a changing request: inside a verb's act or undo only
---@param url string https://..., or http:// for this machine itself
---@param options? table { headers = {...}, body = "...", json = value, timeout = "5s", attempts = number }
---@return dosrun.Answer # raises for a status of 400 and more (kind "missing" for 404)
function dosrun.http.delete(url, options) end

--- verb: PUT where GET answers something else; without a body DELETE; undo puts back what GET answered before
---@param input table { url = ..., body = string or table, headers = {...} }
function dosrun.http.resource(input) end

--- runs a program, without a shell; one that is not declared to read runs inside a verb's act only
---@param argv string[] the program and its arguments
---@param options? table { reads = true, input = "...", env = { "NAME=value" }, cwd = path, timeout = "30s", check = false }
---@return { status: integer, stdout: string, stderr: string } # raises when the status is not 0, unless check = false
function dosrun.process.run(argv, options) end

--- a tag as its registry knows it now: name and digest
---@param image string "HOST/PATH:tag"
---@return string # "HOST/PATH@sha256:..."
function dosrun.image.resolve(image) end

--- declares a test: it has a simulated cloud of its own, empty at first
---@param name string
---@param body fun(t: dosrun.Test)
function test(name, body) end

return dosrun
