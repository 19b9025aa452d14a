# Users, groups, roles and policies in every way that the provider has for them, and a bucket with what goes with one.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

variable "team" { default = "net" }
variable "hours" { default = 1 }

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com", "lambda.amazonaws.com"]
    }
    principals {
      type        = "AWS"
      identifiers = [data.aws_caller_identity.me.account_id]
    }
  }
}

data "aws_iam_policy_document" "reads" {
  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::${aws_s3_bucket.notes.bucket}/$${aws:username}/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalTag/team"
      values   = [var.team]
    }
  }
}

data "aws_iam_policy" "vpc" {
  name = "AmazonVPCReadOnlyAccess"
}

resource "aws_iam_policy" "reads" {
  name        = "reads"
  path        = "/work/"
  description = "reads notes"
  policy      = data.aws_iam_policy_document.reads.json
  tags        = { team = var.team }
}

resource "aws_iam_role" "worker" {
  name                 = "worker"
  path                 = "/work/"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600 * var.hours
  permissions_boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
  tags                 = { team = var.team }
}

resource "aws_iam_role_policy" "inline" {
  name   = "inline"
  role   = aws_iam_role.worker.id
  policy = data.aws_iam_policy_document.reads.json
}

resource "aws_iam_role_policy_attachment" "vpc" {
  role       = aws_iam_role.worker.name
  policy_arn = data.aws_iam_policy.vpc.arn
}

resource "aws_iam_instance_profile" "worker" {
  name = "worker"
  role = aws_iam_role.worker.name
  tags = { team = var.team }
}

resource "aws_iam_user" "ann" {
  name                 = "ann"
  path                 = "/people/"
  permissions_boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
  tags                 = { team = var.team }
}

resource "aws_iam_access_key" "ann" {
  user = aws_iam_user.ann.name
}

resource "aws_iam_user_policy" "own" {
  name   = "own"
  user   = aws_iam_user.ann.name
  policy = data.aws_iam_policy_document.reads.json
}

resource "aws_iam_user_policy_attachment" "reads" {
  user       = aws_iam_user.ann.name
  policy_arn = aws_iam_policy.reads.arn
}

resource "aws_iam_group" "readers" {
  name = "readers"
}

resource "aws_iam_group_policy" "list" {
  name   = "list"
  group  = aws_iam_group.readers.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:ListBucket", Resource = "*" }] })
}

resource "aws_iam_group_policy_attachment" "reads" {
  group      = aws_iam_group.readers.name
  policy_arn = aws_iam_policy.reads.arn
}

resource "aws_iam_group_membership" "readers" {
  name  = "readers"
  group = aws_iam_group.readers.name
  users = [aws_iam_user.ann.name]
}

resource "aws_iam_service_linked_role" "elb" {
  aws_service_name = "elasticloadbalancing.amazonaws.com"
  description      = "for load balancers"
}

data "aws_iam_principal_policy_simulation" "worker" {
  policy_source_arn = aws_iam_role.worker.arn
  action_names      = ["ec2:DescribeVpcs"]
  depends_on        = [aws_iam_role_policy_attachment.vpc]

  lifecycle {
    postcondition {
      condition     = self.all_allowed
      error_message = "the worker may not describe VPCs"
    }
  }
}

resource "aws_s3_bucket" "notes" {
  bucket = "notes-of-the-workers"
}

resource "aws_s3_bucket_ownership_controls" "notes" {
  bucket = aws_s3_bucket.notes.id
  rule { object_ownership = "BucketOwnerPreferred" }
}

resource "aws_s3_bucket_acl" "notes" {
  bucket     = aws_s3_bucket.notes.id
  acl        = "private"
  depends_on = [aws_s3_bucket_ownership_controls.notes]
}

resource "aws_s3_bucket_public_access_block" "notes" {
  bucket                  = aws_s3_bucket.notes.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "notes" {
  bucket = aws_s3_bucket.notes.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}

resource "aws_s3_bucket_versioning" "notes" {
  bucket = aws_s3_bucket.notes.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_lifecycle_configuration" "notes" {
  bucket = aws_s3_bucket.notes.id
  rule {
    id     = "old"
    status = "Enabled"
    filter { prefix = "old/" }
    expiration { days = 30 * var.hours }
    noncurrent_version_expiration { noncurrent_days = 7 }
  }
  depends_on = [aws_s3_bucket_versioning.notes]
}

resource "aws_s3_bucket_cors_configuration" "notes" {
  bucket = aws_s3_bucket.notes.id
  cors_rule {
    allowed_methods = ["GET", "PUT"]
    allowed_origins = ["https://${var.team}.example.com"]
    allowed_headers = ["*"]
    expose_headers  = ["ETag"]
    max_age_seconds = 300
  }
}

resource "aws_s3_bucket_policy" "notes" {
  bucket = aws_s3_bucket.notes.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Deny", Principal = "*", Action = "s3:*"
      Resource  = [aws_s3_bucket.notes.arn, "${aws_s3_bucket.notes.arn}/*"]
      Condition = { StringNotEquals = { "aws:PrincipalAccount" = data.aws_caller_identity.me.account_id } }
    }]
  })
  depends_on = [aws_s3_bucket_public_access_block.notes]
}
