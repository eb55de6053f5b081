-- dosrun.aws.
local params = { "params", "table?", "the operation's members, as AWS names them" }

return {
  { class = "dosrun.AwsClient", word = "client",
    summary = "an AWS service: each operation is a method, as client:describe_cluster { name = ... }; what only reads is free, all else is for a verb's act",
    fields = { { "service", "string", '"eks"' } } },
  { "aws.client", summary = "a client of a service for another region, role or endpoint; aws.eks is one for the target's own",
    params = { { "service", "string", '"eks", "elbv2", "sso-oidc"' },
      { "options", "table?", '{ region = "us-east-1", role = "arn:...", endpoint_url = "...", attempts = 3, timeout = "60s" }' } },
    returns = { "dosrun.AwsClient", "" },
    example = 'local ec2 = dosrun.aws.client("ec2", { region = "us-east-1" })' },
  { "client:pages", class = "dosrun.AwsClient", summary = "the pages of an operation, one after the other: for page in client:pages(...) do",
    params = { { "operation", "string", '"describe_volumes"' }, params }, returns = { "function", "an iterator over answers" } },
  { "client:items", class = "dosrun.AwsClient", summary = "what all pages of an operation list",
    params = { { "operation", "string", "" }, params }, returns = { "table[]", "" } },
  { "client:wait", class = "dosrun.AwsClient", summary = "waits until the service says so; ends early when it never will",
    params = { { "waiter", "string", '"cluster_active"' }, params, { "options", "table?", '{ timeout = "20m" }' } },
    returns = { "table?", "the answer that ended it" } },
  { "aws.query", summary = "what a JMESPath expression finds in a value",
    params = { { "expression", "string", '"Reservations[].Instances[].InstanceId"' }, { "value", "any", "" } },
    returns = { "any", "dosrun.null when that is nothing" },
    example = 'local names = dosrun.aws.query("[].name", { { name = "a" }, { name = "b" } })' },
}
