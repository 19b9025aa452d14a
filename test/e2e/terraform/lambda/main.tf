# Everything of Lambda that people declare beside the function itself.

variable "zip" { type = string }

variable "memory" {
  type    = number
  default = 128
}

variable "share" {
  type    = number
  default = 0.1
}

variable "auth" {
  type    = string
  default = "NONE"
}

provider "aws" {
  region = "us-west-2"
}

resource "aws_iam_role" "f" {
  name = "lambda"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "f" {
  role = aws_iam_role.f.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:*", "lambda:InvokeFunction"], Resource = "*" }]
  })
}

resource "aws_lambda_layer_version" "l" {
  layer_name               = "shared"
  filename                 = var.zip
  compatible_runtimes      = ["provided.al2023"]
  compatible_architectures = ["x86_64"]
  description              = "what functions share"
}

resource "aws_lambda_layer_version_permission" "l" {
  layer_name     = aws_lambda_layer_version.l.layer_name
  version_number = aws_lambda_layer_version.l.version
  statement_id   = "everybody"
  action         = "lambda:GetLayerVersion"
  principal      = "*"
}

resource "aws_lambda_function" "f" {
  function_name = "main"
  role          = aws_iam_role.f.arn
  runtime       = "provided.al2023"
  handler       = "bootstrap"
  filename      = var.zip
  publish       = true
  memory_size   = var.memory
  timeout       = 10
  layers        = [aws_lambda_layer_version.l.arn]
  tags          = { Team = "network" }

  ephemeral_storage { size = 1024 }

  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "WARN"
  }
  depends_on = [aws_iam_role_policy.f]
}

resource "aws_lambda_function" "destination" {
  function_name                  = "destination"
  role                           = aws_iam_role.f.arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  filename                       = var.zip
  reserved_concurrent_executions = 5
  depends_on                     = [aws_iam_role_policy.f]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.f.function_name
  function_version = "1"

  dynamic "routing_config" {
    for_each = aws_lambda_function.f.version == "1" ? [] : [var.share]
    content {
      additional_version_weights = { (aws_lambda_function.f.version) = routing_config.value }
    }
  }
}

resource "aws_lambda_permission" "url" {
  statement_id           = "url"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.f.function_name
  qualifier              = aws_lambda_alias.live.name
  principal              = "*"
  function_url_auth_type = var.auth
}

# Since October 2025 a URL needs both.
resource "aws_lambda_permission" "invoke" {
  statement_id  = "invoke"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "*"
}

resource "aws_lambda_permission" "bucket" {
  statement_id   = "bucket"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.f.function_name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:aws:s3:::some-bucket"
  source_account = "000000000000"
}

resource "aws_lambda_function_url" "live" {
  function_name      = aws_lambda_function.f.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = var.auth

  cors {
    allow_origins = ["https://example.com"]
    allow_methods = ["GET"]
    max_age       = 60
  }
}

resource "aws_lambda_function_event_invoke_config" "f" {
  function_name                = aws_lambda_function.f.function_name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 1

  destination_config {
    on_failure { destination = aws_lambda_function.destination.arn }
  }
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  function_name                     = aws_lambda_function.f.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = 1
}

data "aws_lambda_function" "f" {
  function_name = aws_lambda_function.f.function_name
  qualifier     = aws_lambda_alias.live.name
  depends_on    = [aws_lambda_provisioned_concurrency_config.live]
}

output "url" { value = aws_lambda_function_url.live.function_url }
