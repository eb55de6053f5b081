-- dosrun.istio.
return {
  { class = "dosrun.Traffic", word = "traffic", summary = "one route of a VirtualService, whose weights are moved" },
  { "istio.traffic", summary = "the element of a VirtualService's spec.http with this name",
    params = { { "name", "string", "of the route" }, { "options", "table?", '{ virtual_service = "dos-game/games", prefix = "game-", force = boolean }' } },
    returns = { "dosrun.Traffic", "" }, example = 'local traffic = dosrun.istio.traffic("game")' },
  { "traffic:weights", class = "dosrun.Traffic", summary = "the share of each version, in percent", returns = { "table<string, integer>?", "nil when there is no such route" },
    example = 'local shares = dosrun.istio.traffic("game"):weights()' },
  { "traffic:to", class = "dosrun.Traffic", summary = "verb: moves the players to a version, step by step; undo moves them back",
    params = { { "version", "string", "" }, { "options", "table?", '{ steps = { 10, 50, 100 }, interval = "30s", gate = function(weight) return true end }' } },
    example = 'dosrun.istio.traffic("game"):to("civ", { steps = { 10, 50, 100 }, interval = "30s" })' },
  { "istio.gateway_url", summary = "where players reach the ingress gateway", params = { { "options", "table?", '{ service = "istio-system/istio-ingressgateway" }' } },
    returns = { "string", '"http://203.0.113.7"' }, example = "local url = dosrun.istio.gateway_url()" },
  { "istio.gateway_port", summary = "the port of the ingress gateway that speaks HTTP", params = { { "service", "table?", "the Service's object" } },
    returns = { "integer", "" }, example = "local port = dosrun.istio.gateway_port()" },
}
