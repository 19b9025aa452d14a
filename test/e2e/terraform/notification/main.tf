terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-west-2"
}
variable "events" {
  type    = set(string)
  default = ["Accept", "Reject"]
}
variable "topic" { default = "first" }
resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "this" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.0.1.0/24"
}
resource "aws_vpc_endpoint" "this" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.us-west-2.sts"
  vpc_endpoint_type = "Interface"
  subnet_ids        = [aws_subnet.this.id]
}
resource "aws_vpc_endpoint_connection_notification" "this" {
  vpc_endpoint_id             = aws_vpc_endpoint.this.id
  connection_notification_arn = "arn:aws:sns:us-west-2:000000000000:${var.topic}"
  connection_events           = var.events
}
