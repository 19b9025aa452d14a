variable "architecture" {
  description = "x86_64 or arm64: what the function is built for."
  type        = string
  default     = "x86_64"
}

resource "aws_s3_bucket" "notes" {
  bucket_prefix = "culvert-example-"
  force_destroy = true
}

resource "aws_s3_object" "note" {
  bucket  = aws_s3_bucket.notes.id
  key     = "note.txt"
  content = "read through the network"
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.notes.arn}/*"]
  }
}

resource "aws_iam_role" "reader" {
  name_prefix        = "culvert-example-"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.reader.id
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role_policy_attachment" "network" {
  role       = aws_iam_role.reader.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}

resource "aws_security_group" "function" {
  name_prefix = "function-"
  description = "The function: out only, to HTTPS."
  vpc_id      = aws_vpc.main.id

  egress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

variable "language" {
  description = "go (make -C examples/private-s3 builds it) or python."
  type        = string
  default     = "go"

  validation {
    condition     = contains(["go", "python"], var.language)
    error_message = "The language is go or python."
  }
}

variable "python_runtime" {
  type    = string
  default = "python3.12"
}

locals {
  packages = {
    go     = "${path.module}/../function/function-${var.architecture == "arm64" ? "arm64" : "amd64"}.zip"
    python = "${path.module}/reader.zip"
  }
}

resource "aws_lambda_function" "reader" {
  function_name    = "private-s3-reader"
  role             = aws_iam_role.reader.arn
  runtime          = var.language == "go" ? "provided.al2023" : var.python_runtime
  handler          = var.language == "go" ? "bootstrap" : "reader.handle"
  architectures    = [var.architecture]
  filename         = local.packages[var.language]
  source_code_hash = filebase64sha256(local.packages[var.language])
  timeout          = 10

  environment {
    variables = {
      BUCKET = aws_s3_bucket.notes.id
      KEY    = aws_s3_object.note.key
    }
  }

  vpc_config {
    subnet_ids         = [aws_subnet.private.id]
    security_group_ids = [aws_security_group.function.id]
  }

  depends_on = [aws_iam_role_policy_attachment.network]
}

output "function" {
  value = aws_lambda_function.reader.function_name
}
