-- Where playbooks run. `--target NAME` picks one; without it the default.
-- kind = "kube": a cluster that bootstrap, or somebody else, has prepared: Istio with its ingress gateway,
-- StorageClass ebs-gp3, metrics. Which cluster: the kubeconfig's current context, or the one named here.
-- Values can be set for one run with `--set name=value`.
return {
  games = {
    kind = "kube", default = true,
    -- context = "games-admin",                -- of the kubeconfig
    -- uid = "...",                            -- `dosrun whoami` prints it: then no other cluster is taken by mistake
    -- protect = true,                         -- destroy asks for the target's name
    values = {
      -- HOST/PREFIX of the images, pushed already: PREFIX:doom, PREFIX:civ, PREFIX-stats:latest and
      -- PREFIX-postgres:17-alpine (a copy of the official image). The example exists in the sandbox only.
      images = "registry.games.example/dos-games",
      -- stats_image = "registry.games.example/dos-games-stats:latest",
      -- postgres_image = "docker.io/library/postgres:17-alpine",
      -- host = "games.example.com",           -- the name that players use; without it any
      -- interval = "30s",                     -- between the steps of a switch
    },
  },
}
