-- CloudWatch, its logs, and what tags find: json 1.1, json 1.0.
local dosrun = require "dosrun.v1"
local aws = dosrun.aws

local logs = { name = "logs" }

function logs.there() return #aws.logs:items("describe_log_groups", { logGroupNamePrefix = "/judge/game" }) > 0 end

function logs.make()
  local c, now = aws.logs, dosrun.now()
  for _, name in ipairs { "/judge/game", "/judge/web", "/judge/db" } do c:create_log_group { logGroupName = name, tags = { team = "games" } } end
  c:put_retention_policy { logGroupName = "/judge/game", retentionInDays = 7 }
  for _, name in ipairs { "a", "b[x]", "c" } do c:create_log_stream { logGroupName = "/judge/game", logStreamName = name } end
  c:put_log_events { logGroupName = "/judge/game", logStreamName = "a", logEvents = dosrun.array {
    { timestamp = now - 2000, message = "one ü" }, { timestamp = now - 1000, message = 'two "x"\n\tlines' } } }
  c:put_subscription_filter { logGroupName = "/judge/web", filterName = "f", filterPattern = "",
    destinationArn = aws.lambda:get_function { FunctionName = "judge" }.Configuration.FunctionArn }
  c:put_metric_filter { logGroupName = "/judge/web", filterName = "errors", filterPattern = "ERROR", metricTransformations = dosrun.array {
    { metricName = "errors", metricNamespace = "judge", metricValue = "1" } } }
end

function logs.clear()
  aws.logs:delete_metric_filter { logGroupName = "/judge/web", filterName = "errors" }
  aws.logs:delete_subscription_filter { logGroupName = "/judge/web", filterName = "f" }
  aws.logs:delete_log_stream { logGroupName = "/judge/game", logStreamName = "b[x]" }
  for _, name in ipairs { "/judge/game", "/judge/web", "/judge/db" } do aws.logs:delete_log_group { logGroupName = name } end
end

local cloudwatch = { name = "cloudwatch" }

function cloudwatch.there()
  return #aws.cloudwatch:describe_alarms { AlarmNames = dosrun.array { "judge-high" } }.MetricAlarms > 0
end

function cloudwatch.make()
  local c = aws.cloudwatch
  for _, name in ipairs { "judge-high", "judge-low" } do
    c:put_metric_alarm { AlarmName = name, Namespace = "judge", MetricName = "players", Statistic = "Average", Period = 60,
      EvaluationPeriods = 2, Threshold = 10.5, ComparisonOperator = "GreaterThanThreshold", AlarmDescription = "of <players> & more",
      Dimensions = dosrun.array { { Name = "game", Value = "doom" } } }
  end
  c:set_alarm_state { AlarmName = "judge-low", StateValue = "ALARM", StateReason = "a test" }
  c:disable_alarm_actions { AlarmNames = dosrun.array { "judge-low" } }
  c:put_metric_data { Namespace = "judge", MetricData = dosrun.array { { MetricName = "players", Value = 3.25, Unit = "Count",
    Dimensions = dosrun.array { { Name = "game", Value = "doom" } } } } }
  c:put_dashboard { DashboardName = "judge", DashboardBody = dosrun.json.encode { widgets = dosrun.array {} } }
end

function cloudwatch.clear()
  aws.cloudwatch:delete_alarms { AlarmNames = dosrun.array { "judge-high", "judge-low" } }
  aws.cloudwatch:delete_dashboards { DashboardNames = dosrun.array { "judge" } }
end

return { logs, cloudwatch }
