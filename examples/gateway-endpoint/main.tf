variable "endpoint" {
  description = "Whether the private subnet's route table leads to S3."
  type        = bool
  default     = true
}

resource "aws_vpc" "main" {
  cidr_block = "10.1.0.0/16"
}

resource "aws_subnet" "private" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.1.1.0/24"
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route_table_association" "private" {
  subnet_id      = aws_subnet.private.id
  route_table_id = aws_route_table.private.id
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.main.id
  service_name    = "com.amazonaws.${var.region}.s3"
  route_table_ids = var.endpoint ? [aws_route_table.private.id] : []
}

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

resource "aws_lambda_function" "reader" {
  function_name = "gateway-endpoint-reader"
  role          = aws_iam_role.reader.arn
  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = [var.architecture]
  filename      = "${path.module}/../function/function-${var.architecture == "arm64" ? "arm64" : "amd64"}.zip"
  timeout       = 10

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
