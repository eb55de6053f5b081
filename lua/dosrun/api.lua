-- The one description of what playbooks and specs can call. Help (`dosrun help kube.apply`), the editor's
-- types (lua/meta, `dosrun new`) and the tests' examples are made from it.
--
-- An entry: { name, summary, params = { { name, type, what } }, returns = { type, what }, example }. A name
-- "a.b" is a function of dosrun.a, "Class:b" a method; a class has `class`, `summary` and `fields`.
local list = {}

for _, room in ipairs { "playbook", "kube", "istio", "aws", "plain", "spec" } do
  local entries = require("dosrun.api." .. room)
  table.move(entries, 1, #entries, #list + 1, list)
end

return list
