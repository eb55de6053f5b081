std = "lua54"
max_line_length = 160 -- as tests/tidy.lua
ignore = { "43" } -- shadowing an upvalue: `run`, `name` and the like are the best word in both places
files["lua/sandbox"] = { read_globals = { "api", "cloud", "doc" } } -- what engine/sandbox gives them (kube_api.c, aws_lua.c, kube_lua.c)
files["**/tests/sandbox.lua"] = { read_globals = { sandbox = { fields = { "http", "program", "state" }, other_fields = true, read_only = false } } }
files["tests/spec"] = { read_globals = { "test" } }
files["lua/meta"] = { globals = { "test" }, ignore = { "2", "6" } } -- editor types: declared, never used
