-- The kinds of resources that aws.ensure knows by itself.
local define = require("dosrun.aws.kind").define

-- One default rule; the key and what it saves are members of it.
local encryption = { "put_bucket_encryption", { Bucket = "${name}", ServerSideEncryptionConfiguration = { Rules = { {
  ApplyServerSideEncryptionByDefault = { SSEAlgorithm = "${fields.encryption || 'AES256'}",
    KMSMasterKeyID = "${fields.encryption != 'AES256' && fields.encryption_key || `null`}" },
  BucketKeyEnabled = "${fields.bucket_key || `false`}" } } } } }

local function encryption_at(path)
  return { "get_bucket_encryption", { Bucket = "${name}" }, missing = "ServerSideEncryptionConfigurationNotFoundError",
    at = "ServerSideEncryptionConfiguration.Rules[0]." .. path }
end

-- A new bucket refuses public access, and encrypts with AES256. Once versioned, a bucket can only be suspended, which is
-- what no versions reads as. A policy for everybody is only taken after public_access_block lets it.
define("s3.bucket", {
  service = "s3",
  find = { "head_bucket", { Bucket = "${name}" }, missing = { "404", "NotFound", "NoSuchBucket" } },
  create = { "create_bucket", { Bucket = "${name}", CreateBucketConfiguration = {
    LocationConstraint = "${region != 'us-east-1' && region || `null`}", Tags = "${tags}" } } },
  delete = { "delete_bucket", { Bucket = "${name}" } },
  wait = { "bucket_exists", { Bucket = "${name}" } },
  holds = "BucketNotEmpty",
  awaits = { MalformedPolicy = "Invalid principal" },
  gives = { Bucket = "${name}", Arn = "arn:aws:s3:::${name}" },
  fields = {
    tags = { look = { "get_bucket_tagging", { Bucket = "${name}" }, at = "TagSet", missing = "NoSuchTagSet" }, map = { "Key", "Value" },
      first = true, whole = true, keep = true, put = { "put_bucket_tagging", { Bucket = "${name}", Tagging = { TagSet = "${value}" } } },
      unset = { "delete_bucket_tagging", { Bucket = "${name}" } } },
    versioning = { look = { "get_bucket_versioning", { Bucket = "${name}" }, at = "Status || 'Suspended'" },
      put = { "put_bucket_versioning", { Bucket = "${name}", VersioningConfiguration = { Status = "${value}" } } } },
    public_access_block = { first = true, look = { "get_public_access_block", { Bucket = "${name}" }, at = "PublicAccessBlockConfiguration",
      missing = "NoSuchPublicAccessBlockConfiguration" },
      put = { "put_public_access_block", { Bucket = "${name}", PublicAccessBlockConfiguration = "${value}" } },
      unset = { "delete_public_access_block", { Bucket = "${name}" } } },
    policy = { look = { "get_bucket_policy", { Bucket = "${name}" }, at = "Policy", missing = "NoSuchBucketPolicy" }, json = "policy",
      put = { "put_bucket_policy", { Bucket = "${name}", Policy = "${value}" } },
      unset = { "delete_bucket_policy", { Bucket = "${name}" } } },
    encryption = { look = encryption_at "ApplyServerSideEncryptionByDefault.SSEAlgorithm || 'AES256'", put = encryption, unset = encryption },
    encryption_key = { look = encryption_at "ApplyServerSideEncryptionByDefault.KMSMasterKeyID", put = encryption, unset = encryption },
    bucket_key = { look = encryption_at "BucketKeyEnabled || `false`", put = encryption, unset = encryption },
    lifecycle = { look = { "get_bucket_lifecycle_configuration", { Bucket = "${name}" }, at = "Rules", missing = "NoSuchLifecycleConfiguration" },
      put = { "put_bucket_lifecycle_configuration", { Bucket = "${name}", LifecycleConfiguration = { Rules = "${value}" } } },
      unset = { "delete_bucket_lifecycle", { Bucket = "${name}" } } },
  },
})

define("ecr.repository", {
  service = "ecr",
  find = { "describe_repositories", { repositoryNames = { "${name}" } }, at = "repositories[0]", missing = "RepositoryNotFoundException" },
  create = { "create_repository", { repositoryName = "${name}", tags = "${tags}", imageTagMutability = "${tag_mutability}",
    imageScanningConfiguration = { scanOnPush = "${scan_on_push}" },
    encryptionConfiguration = { encryptionType = "${encryption || encryption_key && 'KMS' || `null`}", kmsKey = "${encryption_key}" } } },
  delete = { "delete_repository", { repositoryName = "${name}" } },
  holds = "RepositoryNotEmptyException",
  gives = { repositoryArn = "${found.repositoryArn}", repositoryUri = "${found.repositoryUri}", registryId = "${found.registryId}" },
  fields = {
    tags = { look = { "list_tags_for_resource", { resourceArn = "${found.repositoryArn}" }, at = "tags" }, map = { "Key", "Value" }, keep = true,
      put = { "tag_resource", { resourceArn = "${found.repositoryArn}", tags = { { Key = "${key}", Value = "${value}" } } } },
      unset = { "untag_resource", { resourceArn = "${found.repositoryArn}", tagKeys = { "${key}" } } } },
    tag_mutability = { at = "imageTagMutability",
      put = { "put_image_tag_mutability", { repositoryName = "${name}", imageTagMutability = "${value}" } } },
    scan_on_push = { at = "imageScanningConfiguration.scanOnPush", put = { "put_image_scanning_configuration",
      { repositoryName = "${name}", imageScanningConfiguration = { scanOnPush = "${value}" } } } },
    encryption = { at = "encryptionConfiguration.encryptionType || 'AES256'" },
    encryption_key = { at = "encryptionConfiguration.kmsKey" },
    policy = { look = { "get_repository_policy", { repositoryName = "${name}" }, at = "policyText", missing = "RepositoryPolicyNotFoundException" },
      json = "policy", put = { "set_repository_policy", { repositoryName = "${name}", policyText = "${value}" } },
      unset = { "delete_repository_policy", { repositoryName = "${name}" } } },
    lifecycle = { look = { "get_lifecycle_policy", { repositoryName = "${name}" }, at = "lifecyclePolicyText",
      missing = "LifecyclePolicyNotFoundException" }, json = true,
      put = { "put_lifecycle_policy", { repositoryName = "${name}", lifecyclePolicyText = "${value}" } },
      unset = { "delete_lifecycle_policy", { repositoryName = "${name}" } } },
  },
})

-- UpdateRole takes a duration that is not named for one hour.
local update_role = { "update_role", { RoleName = "${name}", Description = "${fields.description || ''}",
  MaxSessionDuration = "${fields.max_session}" } }

-- Its policies and inline policies are exactly those that are named. A principal that was made a moment ago is waited for.
define("iam.role", {
  service = "iam", bound = "3m",
  find = { "get_role", { RoleName = "${name}" }, at = "Role", missing = "NoSuchEntity" },
  create = { "create_role", { RoleName = "${name}", AssumeRolePolicyDocument = "${trust}", Description = "${description}",
    MaxSessionDuration = "${max_session}", PermissionsBoundary = "${boundary}", Tags = "${tags}" } },
  delete = { "delete_role", { RoleName = "${name}" } },
  wait = { "role_exists", { RoleName = "${name}" } },
  holds = "DeleteConflict",
  awaits = { MalformedPolicyDocument = "Invalid principal" },
  gives = { Arn = "${found.Arn}", RoleId = "${found.RoleId}", RoleName = "${name}" },
  fields = {
    tags = { look = { "list_role_tags", { RoleName = "${name}" }, at = "Tags" }, map = { "Key", "Value" }, keep = true,
      put = { "tag_role", { RoleName = "${name}", Tags = { { Key = "${key}", Value = "${value}" } } } },
      unset = { "untag_role", { RoleName = "${name}", TagKeys = { "${key}" } } } },
    boundary = { at = "PermissionsBoundary.PermissionsBoundaryArn",
      put = { "put_role_permissions_boundary", { RoleName = "${name}", PermissionsBoundary = "${value}" } },
      unset = { "delete_role_permissions_boundary", { RoleName = "${name}" } } },
    -- Others put a role into one; such a role is not deleted, and so its policies stay as well.
    instance_profiles = { look = { "list_instance_profiles_for_role", { RoleName = "${name}" }, at = "InstanceProfiles[].InstanceProfileName" },
      map = {}, inside = true },
    trust = { at = "AssumeRolePolicyDocument", json = "policy",
      put = { "update_assume_role_policy", { RoleName = "${name}", PolicyDocument = "${value}" } } },
    description = { at = "Description || ''", put = update_role },
    max_session = { at = "MaxSessionDuration", put = update_role },
    policies = { look = { "list_attached_role_policies", { RoleName = "${name}" }, at = "AttachedPolicies[].PolicyArn" }, map = {},
      inside = true, put = { "attach_role_policy", { RoleName = "${name}", PolicyArn = "${key}" } },
      unset = { "detach_role_policy", { RoleName = "${name}", PolicyArn = "${key}" } } },
    inline = { look = { "list_role_policies", { RoleName = "${name}" }, at = "PolicyNames" }, map = {}, inside = true, json = "policy",
      each = { "get_role_policy", { RoleName = "${name}", PolicyName = "${key}" }, at = "PolicyDocument", missing = "NoSuchEntity" },
      put = { "put_role_policy", { RoleName = "${name}", PolicyName = "${key}", PolicyDocument = "${value}" } },
      unset = { "delete_role_policy", { RoleName = "${name}", PolicyName = "${key}" } } },
  },
})

return {}
