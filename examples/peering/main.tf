variable "routes" {
  description = "Whether both route tables lead to the other VPC."
  type        = bool
  default     = true
}

resource "aws_vpc" "main" {
  cidr_block           = "10.4.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "main" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.4.1.0/24"
}

resource "aws_vpc" "shared" {
  cidr_block           = "10.5.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "shared" {
  vpc_id     = aws_vpc.shared.id
  cidr_block = "10.5.1.0/24"
}

resource "aws_vpc_peering_connection" "main" {
  vpc_id      = aws_vpc.main.id
  peer_vpc_id = aws_vpc.shared.id
  auto_accept = true
}

resource "aws_route" "there" {
  count                     = var.routes ? 1 : 0
  route_table_id            = aws_vpc.main.main_route_table_id
  destination_cidr_block    = aws_vpc.shared.cidr_block
  vpc_peering_connection_id = aws_vpc_peering_connection.main.id
}

resource "aws_route" "back" {
  count                     = var.routes ? 1 : 0
  route_table_id            = aws_vpc.shared.main_route_table_id
  destination_cidr_block    = aws_vpc.main.cidr_block
  vpc_peering_connection_id = aws_vpc_peering_connection.main.id
}

resource "aws_security_group" "server" {
  name_prefix = "server-"
  description = "The server: port 443 from the group of the function in the other VPC."
  vpc_id      = aws_vpc.shared.id
  depends_on  = [aws_vpc_peering_connection.main]

  ingress {
    from_port       = 443
    to_port         = 443
    protocol        = "tcp"
    security_groups = [aws_security_group.function.id]
  }
}

data "aws_ami" "al2023" {
  most_recent = true
  owners      = ["amazon"]

  filter {
    name   = "name"
    values = ["al2023-ami-2023.*"]
  }

  filter {
    name   = "architecture"
    values = [var.architecture]
  }
}

resource "aws_instance" "server" {
  ami                    = data.aws_ami.al2023.id
  instance_type          = var.architecture == "arm64" ? "t4g.micro" : "t3.micro"
  subnet_id              = aws_subnet.shared.id
  vpc_security_group_ids = [aws_security_group.server.id]
  user_data              = <<-EOT
    #!/bin/sh
    mkdir -p /tmp/www && cd /tmp/www && echo "hello from the other VPC" > index.html
    python3 -m http.server 443 >/dev/null 2>&1 &
  EOT
}

output "url" {
  value = "http://${aws_instance.server.private_ip}:443/"
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
  function_name = "peering-caller"
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
    subnet_ids         = [aws_subnet.main.id]
    security_group_ids = [aws_security_group.function.id]
  }

  depends_on = [aws_iam_role_policy_attachment.network]
}

output "function" {
  value = aws_lambda_function.reader.function_name
}
