terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-west-2"
}
variable "interval" { default = 600 }
resource "aws_vpc" "this" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "this" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.0.1.0/24"
}
resource "aws_network_interface" "this" {
  subnet_id = aws_subnet.this.id
}
resource "aws_cloudwatch_log_group" "this" { name = "flows" }
resource "aws_iam_role" "this" {
  name = "flows"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "vpc-flow-logs.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "this" {
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow", Resource = "*"
      Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"]
    }]
  })
}
resource "aws_flow_log" "group" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = "ALL"
  iam_role_arn             = aws_iam_role.this.arn
  log_destination          = aws_cloudwatch_log_group.this.arn
  max_aggregation_interval = var.interval
  tags                     = { Name = "flows-${var.interval}" }
}
resource "aws_s3_bucket" "this" {
  bucket        = "flow-archive"
  force_destroy = true
}
resource "aws_flow_log" "bucket" {
  subnet_id            = aws_subnet.this.id
  traffic_type         = "REJECT"
  log_destination      = "${aws_s3_bucket.this.arn}/net/"
  log_destination_type = "s3"
  log_format           = "$${version} $${vpc-id} $${interface-id} $${action} $${x-culvert-decided-by}"
  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = true
    per_hour_partition         = true
  }
}
resource "aws_flow_log" "interface" {
  eni_id               = aws_network_interface.this.id
  traffic_type         = "ACCEPT"
  log_destination      = aws_s3_bucket.this.arn
  log_destination_type = "s3"
}
