-- Elastic Kubernetes Service: clusters that exist, each the sandbox's own simulated one. Source: Amazon EKS API Reference,
-- DescribeCluster, ListClusters.
local common = require "aws_common"
local M = {}

-- The same as kube-root-ca.crt of boot.lua.
local CA = "-----BEGIN CERTIFICATE-----\nc2FuZGJveA==\n-----END CERTIFICATE-----\n"

function common.targets.eks(input, call)
  if input.name then return "eks/Cluster", call.region .. "/" .. input.name end
end

local function missing(name)
  common.fail("ResourceNotFoundException", ("No cluster found for name: %s."):format(name))
end

function M.DescribeCluster(input, call)
  local cluster = cloud.get("eks/Cluster", call.region .. "/" .. input.name) or missing(input.name)
  local id = cloud.hex("eks/" .. call.region .. "/" .. cluster.name, 32):upper()
  return { cluster = { name = cluster.name, arn = common.arn("eks", call.region, "cluster/" .. cluster.name),
    createdAt = cluster.made.created, version = "1.34", platformVersion = "eks.1", status = "ACTIVE",
    endpoint = "https://kubernetes.sandbox", certificateAuthority = { data = cloud.base64(CA) },
    roleArn = common.arn("iam", "", "role/sandbox-cluster"), tags = cluster.tags, health = { issues = doc.array {} },
    identity = { oidc = { issuer = ("https://oidc.eks.%s.amazonaws.com/id/%s"):format(call.region, id) } },
    kubernetesNetworkConfig = { serviceIpv4Cidr = "10.100.0.0/16", ipFamily = "ipv4" },
    accessConfig = { authenticationMode = "API" } } }
end

function M.ListClusters(input, call)
  local names = {}
  for _, cluster in ipairs(cloud.list("eks/Cluster", call.region .. "/")) do names[#names + 1] = cluster.name end
  local page, token = common.page(names, input.nextToken, input.maxResults or 100)
  return { clusters = page, nextToken = token }
end

-- From tests/sandbox.lua, or for a target of kind eks.
function M.add(cluster)
  local key = cluster.region .. "/" .. cluster.name
  if cloud.see("eks/Cluster", key) then return end
  cloud.put("eks/Cluster", key, { name = cluster.name, region = cluster.region, tags = {},
    made = { created = cloud.now() } })
end

return M
