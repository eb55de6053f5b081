-- SQS, SNS, EventBridge and its scheduler: json 1.0 with query's errors, query, json 1.1, rest-json.
local dosrun = require "dosrun.v1"
local aws = dosrun.aws
local json = dosrun.json.encode

local function queue(name)
  local found = dosrun.try(aws.sqs.get_queue_url, aws.sqs, { QueueName = name })
  return found and found.QueueUrl
end

local sqs = { name = "sqs" }

function sqs.there() return queue "judge-work" ~= nil end

function sqs.make()
  local c = aws.sqs
  local url = c:create_queue { QueueName = "judge-work", Attributes = { VisibilityTimeout = "5" }, tags = { team = "games" } }.QueueUrl
  c:create_queue { QueueName = "judge-orders.fifo", Attributes = { FifoQueue = "true", ContentBasedDeduplication = "true" } }
  c:set_queue_attributes { QueueUrl = url, Attributes = { DelaySeconds = "0", MaximumMessageSize = "2048" } }
  c:tag_queue { QueueUrl = url, Tags = { stage = "test + more" } }
  c:send_message { QueueUrl = url, MessageBody = "one <ü> & more", MessageAttributes = {
    kind = { DataType = "String", StringValue = "text" }, raw = { DataType = "Binary", BinaryValue = "\0\1\255" } } }
  c:send_message_batch { QueueUrl = url, Entries = dosrun.array { { Id = "a", MessageBody = "two" }, { Id = "b", MessageBody = "three" } } }
  local got = c:receive_message { QueueUrl = url, MaxNumberOfMessages = 10, MessageAttributeNames = dosrun.array { "All" } }
  if #got.Messages == 0 then error { message = "sqs: nothing received" } end
  for _, message in ipairs(got.Messages) do
    if message.MessageAttributes and message.MessageAttributes.raw and message.MessageAttributes.raw.BinaryValue ~= "\0\1\255" then
      error { message = "sqs: other bytes" }
    end
    c:delete_message { QueueUrl = url, ReceiptHandle = message.ReceiptHandle }
  end
  c:purge_queue { QueueUrl = url }
end

function sqs.clear()
  for _, name in ipairs { "judge-work", "judge-orders.fifo" } do aws.sqs:delete_queue { QueueUrl = queue(name) } end
end

local sns = { name = "sns" }

local function topic(name)
  for _, one in ipairs(aws.sns:items("list_topics", {})) do
    if one.TopicArn:match "[^:]+$" == name then return one.TopicArn end
  end
end

function sns.there() return topic "judge-news" ~= nil end

function sns.make()
  local c = aws.sns
  local arn = c:create_topic { Name = "judge-news", Attributes = { DisplayName = "news & more" },
    Tags = dosrun.array { { Key = "team", Value = "games" } } }.TopicArn
  c:create_topic { Name = "judge-other" }
  c:set_topic_attributes { TopicArn = arn, AttributeName = "DisplayName", AttributeValue = "other news" }
  local queue_arn = aws.sqs:get_queue_attributes { QueueUrl = queue "judge-work", AttributeNames = dosrun.array { "QueueArn" } }
  c:subscribe { TopicArn = arn, Protocol = "sqs", Endpoint = queue_arn.Attributes.QueueArn, ReturnSubscriptionArn = true }
  c:publish { TopicArn = arn, Message = "hello = ü & <b>", Subject = "news", MessageAttributes = { n = { DataType = "Number", StringValue = "1" } } }
  c:tag_resource { ResourceArn = arn, Tags = dosrun.array { { Key = "stage", Value = "test" } } }
end

function sns.clear()
  local arn = topic "judge-news"
  for _, one in ipairs(aws.sns:items("list_subscriptions_by_topic", { TopicArn = arn })) do
    aws.sns:unsubscribe { SubscriptionArn = one.SubscriptionArn }
  end
  aws.sns:delete_topic { TopicArn = arn }
  aws.sns:delete_topic { TopicArn = topic "judge-other" }
end

local events = { name = "events" }

function events.there() return dosrun.try(aws.events.describe_rule, aws.events, { Name = "judge-rule", EventBusName = "judge" }) ~= nil end

function events.make(cloud)
  local c = aws.events
  c:create_event_bus { Name = "judge" }
  c:put_rule { Name = "judge-rule", EventBusName = "judge", EventPattern = json { source = dosrun.array { "judge" } }, State = "ENABLED" }
  c:put_rule { Name = "judge-often", ScheduleExpression = "rate(5 minutes)", Description = "often" }
  c:put_targets { Rule = "judge-rule", EventBusName = "judge", Targets = dosrun.array { { Id = "q",
    Arn = aws.sqs:get_queue_attributes { QueueUrl = queue "judge-work", AttributeNames = dosrun.array { "QueueArn" } }.Attributes.QueueArn } } }
  c:disable_rule { Name = "judge-often" }
  if cloud == "moto" then return end -- its PutEvents imports what it needs for CloudFormation, which is not brought
  c:put_events { Entries = dosrun.array { { Source = "judge", DetailType = "t", Detail = json { a = 1 }, EventBusName = "judge" } } }
end

function events.clear()
  aws.events:remove_targets { Rule = "judge-rule", EventBusName = "judge", Ids = dosrun.array { "q" } }
  aws.events:delete_rule { Name = "judge-rule", EventBusName = "judge" }
  aws.events:delete_rule { Name = "judge-often" }
  aws.events:delete_event_bus { Name = "judge" }
end

local scheduler = { name = "scheduler" }

function scheduler.there() return dosrun.try(aws.scheduler.get_schedule, aws.scheduler, { Name = "nightly", GroupName = "judge" }) ~= nil end

local function nightly(hour)
  return { Name = "nightly", GroupName = "judge", ScheduleExpression = ("cron(0 %d * * ? *)"):format(hour),
    FlexibleTimeWindow = { Mode = "OFF" }, Description = "at " .. hour,
    Target = { Arn = "arn:aws:sqs:us-east-1:000000000000:judge-work", RoleArn = "arn:aws:iam::000000000000:role/judge/judge-node", Input = json { a = 1 } } }
end

function scheduler.make()
  aws.scheduler:create_schedule_group { Name = "judge", Tags = dosrun.array { { Key = "team", Value = "games" } } }
  aws.scheduler:create_schedule(nightly(3))
  aws.scheduler:update_schedule(nightly(4))
end

function scheduler.clear()
  aws.scheduler:delete_schedule { Name = "nightly", GroupName = "judge" }
  aws.scheduler:delete_schedule_group { Name = "judge" }
end

return { sqs, sns, events, scheduler }
