-- EC2, load balancers, Auto Scaling, Route 53: ec2, query, rest-xml.
local dosrun = require "dosrun.v1"
local aws = dosrun.aws

local filter = dosrun.array { { Name = "tag:judge", Values = dosrun.array { "ec2" } } }

local function tags(kind, name)
  return dosrun.array { { ResourceType = kind, Tags = dosrun.array { { Key = "judge", Value = "ec2" }, { Key = "Name", Value = name } } } }
end

local function vpc_of() return aws.ec2:describe_vpcs { Filters = filter }.Vpcs[1] end

local function subnets_of()
  local ids = dosrun.array {}
  for i, one in ipairs(aws.ec2:items("describe_subnets", { Filters = filter })) do ids[i] = one.SubnetId end
  return ids
end

local ec2 = { name = "ec2" }

function ec2.there() return vpc_of() ~= nil end

function ec2.make()
  local c = aws.ec2
  local vpc = c:create_vpc { CidrBlock = "10.77.0.0/16", TagSpecifications = tags("vpc", "a vpc & more") }.Vpc.VpcId
  c:wait("vpc_available", { VpcIds = dosrun.array { vpc } })
  c:modify_vpc_attribute { VpcId = vpc, EnableDnsHostnames = { Value = true } }
  local subnets = {}
  for i, zone in ipairs { "us-east-1a", "us-east-1b", "us-east-1c" } do
    subnets[i] = c:create_subnet { VpcId = vpc, CidrBlock = ("10.77.%d.0/24"):format(i), AvailabilityZone = zone,
      TagSpecifications = tags("subnet", "net-" .. i) }.Subnet.SubnetId
  end
  c:modify_subnet_attribute { SubnetId = subnets[1], MapPublicIpOnLaunch = { Value = true } }
  local gateway = c:create_internet_gateway { TagSpecifications = tags("internet-gateway", "way out") }.InternetGateway.InternetGatewayId
  c:attach_internet_gateway { InternetGatewayId = gateway, VpcId = vpc }
  local table_id = c:create_route_table { VpcId = vpc, TagSpecifications = tags("route-table", "routes") }.RouteTable.RouteTableId
  c:create_route { RouteTableId = table_id, DestinationCidrBlock = "0.0.0.0/0", GatewayId = gateway }
  c:associate_route_table { RouteTableId = table_id, SubnetId = subnets[1] }
  local address = c:allocate_address { Domain = "vpc", TagSpecifications = tags("elastic-ip", "address") }.AllocationId
  local nat = c:create_nat_gateway { SubnetId = subnets[1], AllocationId = address, TagSpecifications = tags("natgateway", "nat") }
  c:wait("nat_gateway_available", { NatGatewayIds = dosrun.array { nat.NatGateway.NatGatewayId } })
  local group = c:create_security_group { GroupName = "judge", Description = "of the judge", VpcId = vpc,
    TagSpecifications = tags("security-group", "group") }.GroupId
  c:authorize_security_group_ingress { GroupId = group, IpPermissions = dosrun.array { { IpProtocol = "tcp", FromPort = 80, ToPort = 443,
    IpRanges = dosrun.array { { CidrIp = "10.0.0.0/8", Description = "inside" }, { CidrIp = "192.168.0.0/16" } } } } }
  c:authorize_security_group_ingress { GroupId = group, IpPermissions = dosrun.array { { IpProtocol = "-1",
    UserIdGroupPairs = dosrun.array { { GroupId = group } } } } }
  c:revoke_security_group_egress { GroupId = group, IpPermissions = dosrun.array { { IpProtocol = "-1",
    IpRanges = dosrun.array { { CidrIp = "0.0.0.0/0" } } } } }
  c:create_launch_template { LaunchTemplateName = "judge", LaunchTemplateData = { InstanceType = "t3.small",
    UserData = dosrun.base64 "#!/bin/sh\necho hello\n", TagSpecifications = dosrun.array { { ResourceType = "instance",
      Tags = dosrun.array { { Key = "a", Value = "b" } } } } } }
  c:create_launch_template_version { LaunchTemplateName = "judge", LaunchTemplateData = { InstanceType = "t3.large" },
    VersionDescription = "bigger" }
  c:create_volume { AvailabilityZone = "us-east-1a", Size = 1, VolumeType = "gp3", TagSpecifications = tags("volume", "disk") }
  c:create_network_interface { SubnetId = subnets[2], Description = "a card", Groups = dosrun.array { group },
    TagSpecifications = tags("network-interface", "card") }
  c:create_tags { Resources = dosrun.array { vpc, subnets[2] }, Tags = dosrun.array { { Key = "later", Value = "ü + %" } } }
  c:delete_tags { Resources = dosrun.array { subnets[2] }, Tags = dosrun.array { { Key = "later" } } }
end

function ec2.clear()
  local c, vpc = aws.ec2, vpc_of().VpcId
  for _, one in ipairs(c:items("describe_network_interfaces", { Filters = filter })) do
    c:delete_network_interface { NetworkInterfaceId = one.NetworkInterfaceId }
  end
  for _, one in ipairs(c:items("describe_volumes", { Filters = filter })) do c:delete_volume { VolumeId = one.VolumeId } end
  c:delete_launch_template { LaunchTemplateName = "judge" }
  for _, one in ipairs(c:items("describe_nat_gateways", { Filter = filter })) do
    if one.State ~= "deleted" then
      c:delete_nat_gateway { NatGatewayId = one.NatGatewayId }
      c:wait("nat_gateway_deleted", { NatGatewayIds = dosrun.array { one.NatGatewayId } })
    end
  end
  for _, one in ipairs(c:describe_addresses { Filters = filter }.Addresses) do c:release_address { AllocationId = one.AllocationId } end
  for _, one in ipairs(c:items("describe_route_tables", { Filters = filter })) do
    for _, link in ipairs(one.Associations) do c:disassociate_route_table { AssociationId = link.RouteTableAssociationId } end
    c:delete_route { RouteTableId = one.RouteTableId, DestinationCidrBlock = "0.0.0.0/0" }
    c:delete_route_table { RouteTableId = one.RouteTableId }
  end
  for _, one in ipairs(c:items("describe_internet_gateways", { Filters = filter })) do
    c:detach_internet_gateway { InternetGatewayId = one.InternetGatewayId, VpcId = vpc }
    c:delete_internet_gateway { InternetGatewayId = one.InternetGatewayId }
  end
  for _, one in ipairs(c:items("describe_security_groups", { Filters = filter })) do c:delete_security_group { GroupId = one.GroupId } end
  for _, id in ipairs(subnets_of()) do c:delete_subnet { SubnetId = id } end
  c:delete_vpc { VpcId = vpc }
end

local elbv2 = { name = "elbv2" }

local function balancer() return dosrun.try(aws.elbv2.describe_load_balancers, aws.elbv2, { Names = dosrun.array { "judge" } }) end

function elbv2.there() return balancer() ~= nil end

function elbv2.make()
  local c, subnets = aws.elbv2, subnets_of()
  local one = c:create_load_balancer { Name = "judge", Type = "network", Scheme = "internal", Subnets = subnets,
    Tags = dosrun.array { { Key = "team", Value = "games" } } }.LoadBalancers[1].LoadBalancerArn
  c:wait("load_balancer_available", { LoadBalancerArns = dosrun.array { one } })
  local group = c:create_target_group { Name = "judge", Protocol = "TCP", Port = 80, VpcId = vpc_of().VpcId,
    TargetType = "ip" }.TargetGroups[1].TargetGroupArn
  c:modify_target_group { TargetGroupArn = group, HealthCheckIntervalSeconds = 10 }
  c:modify_target_group_attributes { TargetGroupArn = group, Attributes = dosrun.array {
    { Key = "deregistration_delay.timeout_seconds", Value = "30" } } }
  c:register_targets { TargetGroupArn = group, Targets = dosrun.array { { Id = "10.77.1.10", Port = 80 }, { Id = "10.77.2.10", Port = 81 } } }
  c:create_listener { LoadBalancerArn = one, Protocol = "TCP", Port = 80,
    DefaultActions = dosrun.array { { Type = "forward", TargetGroupArn = group } } }
  c:add_tags { ResourceArns = dosrun.array { one, group }, Tags = dosrun.array { { Key = "stage", Value = "test" } } }
end

function elbv2.clear()
  local c = aws.elbv2
  local one = balancer().LoadBalancers[1].LoadBalancerArn
  for _, listener in ipairs(c:items("describe_listeners", { LoadBalancerArn = one })) do c:delete_listener { ListenerArn = listener.ListenerArn } end
  c:delete_load_balancer { LoadBalancerArn = one }
  for _, group in ipairs(c:items("describe_target_groups", { Names = dosrun.array { "judge" } })) do
    c:deregister_targets { TargetGroupArn = group.TargetGroupArn, Targets = dosrun.array { { Id = "10.77.2.10", Port = 81 } } }
    c:delete_target_group { TargetGroupArn = group.TargetGroupArn }
  end
end

local autoscaling = { name = "autoscaling" }

function autoscaling.there()
  return #aws.autoscaling:items("describe_auto_scaling_groups", { AutoScalingGroupNames = dosrun.array { "judge" } }) > 0
end

function autoscaling.make()
  local c = aws.autoscaling
  c:create_auto_scaling_group { AutoScalingGroupName = "judge", MinSize = 0, MaxSize = 3, DesiredCapacity = 0,
    LaunchTemplate = { LaunchTemplateName = "judge", Version = "1" }, VPCZoneIdentifier = table.concat(subnets_of(), ","),
    Tags = dosrun.array { { Key = "team", Value = "games", ResourceId = "judge", ResourceType = "auto-scaling-group", PropagateAtLaunch = true } } }
  c:update_auto_scaling_group { AutoScalingGroupName = "judge", MaxSize = 5, DefaultCooldown = 60 }
  c:put_scaling_policy { AutoScalingGroupName = "judge", PolicyName = "out", PolicyType = "SimpleScaling", AdjustmentType = "ChangeInCapacity",
    ScalingAdjustment = 1 }
  c:create_or_update_tags { Tags = dosrun.array { { Key = "stage", Value = "test", ResourceId = "judge", ResourceType = "auto-scaling-group",
    PropagateAtLaunch = false } } }
end

function autoscaling.clear()
  aws.autoscaling:delete_policy { AutoScalingGroupName = "judge", PolicyName = "out" }
  aws.autoscaling:delete_auto_scaling_group { AutoScalingGroupName = "judge", ForceDelete = true }
end

local route53 = { name = "route53" }

local function zone()
  for _, one in ipairs(aws.route53:items("list_hosted_zones", {})) do
    if one.Name == "judge.test." then return one.Id end
  end
end

local function change(id, action, name, kind, values)
  local records = dosrun.array {}
  for i, value in ipairs(values) do records[i] = { Value = value } end
  return aws.route53:change_resource_record_sets { HostedZoneId = id, ChangeBatch = { Comment = "a & <b>", Changes = dosrun.array {
    { Action = action, ResourceRecordSet = { Name = name, Type = kind, TTL = 60, ResourceRecords = records } } } } }
end

local records = {
  { "a.judge.test", "A", { "192.0.2.1", "192.0.2.2" } }, { "b.judge.test", "TXT", { '"text with <angle> & \\"quote\\""' } },
  { "c.judge.test", "CNAME", { "a.judge.test" } }, { "*.judge.test", "A", { "192.0.2.3" } } }

function route53.there() return zone() ~= nil end

function route53.make()
  local made = aws.route53:create_hosted_zone { Name = "judge.test", CallerReference = "judge-" .. dosrun.now(),
    HostedZoneConfig = { Comment = "of the judge", PrivateZone = false } }
  local id = made.HostedZone.Id
  local answer
  for _, record in ipairs(records) do answer = change(id, "CREATE", table.unpack(record)) end
  aws.route53:wait("resource_record_sets_changed", { Id = answer.ChangeInfo.Id })
  change(id, "UPSERT", "c.judge.test", "CNAME", { "b.judge.test" })
  change(id, "UPSERT", "c.judge.test", "CNAME", { "a.judge.test" })
  aws.route53:change_tags_for_resource { ResourceType = "hostedzone", ResourceId = id:match "[^/]+$",
    AddTags = dosrun.array { { Key = "team", Value = "games" } } }
end

function route53.clear()
  local id = zone()
  for _, record in ipairs(records) do change(id, "DELETE", table.unpack(record)) end
  aws.route53:delete_hosted_zone { Id = id }
end

return { ec2, elbv2, autoscaling, route53 }
