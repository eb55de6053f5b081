local dosrun = require "dosrun.v1"
local platform = require "platform"

local deploy = dosrun.playbook {
  "deploy", summary = "Put a game on the platform and send the players to it",
  args = { { "game", dosrun.choice(dosrun.games), summary = "a file of manifests/games/" } },
  on_failure = "rollback",
}

deploy:step("images", function(run)
  local images = platform.shared_images(run)
  images.game = platform.game_image(run, run.args.game)
  return images
end)

deploy:step("namespace", { needs = {} }, function() platform.make_namespace() end)

deploy:step("database", { needs = { "images", "namespace" } }, function(_, from)
  return platform.make_database(from.images.postgres)
end)

deploy:step("stats-api", { needs = { "images", "database" } }, function(_, from)
  platform.make_stats_api(from.images.stats, from.database)
end)

deploy:step("game", { needs = { "images", "namespace" } }, function(run, from)
  platform.make_game(run.args.game, from.images.game)
end)

deploy:step("route", { needs = { "stats-api", "game" } }, function(run) platform.make_route(run, run.args.game) end)

deploy:step("players", function(run) platform.traffic():to(run.args.game) end)

deploy:step("page", function(run)
  local url = platform.check_page(run, platform.game(run.args.game).title)
  run:report { text = ("%s is on %s/"):format(run.args.game, url) }
end)

return deploy
