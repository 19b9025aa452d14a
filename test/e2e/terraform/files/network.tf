terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# Nothing here knows of Culvert.
provider "aws" {
  region = "us-west-2"
}

variable "endpoint" {
  description = "none, public (an endpoint without private DNS) or private (one with it)"
  type        = string
  default     = "none"
}

resource "aws_vpc" "this" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "reader" }
}

resource "aws_subnet" "closed" {
  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 8, 7)
  availability_zone = "us-west-2b"
}

resource "aws_route_table" "closed" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route_table_association" "closed" {
  subnet_id      = aws_subnet.closed.id
  route_table_id = aws_route_table.closed.id
}

resource "aws_security_group" "reader" {
  name   = "reader"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "reader" {
  security_group_id = aws_security_group.reader.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_security_group" "endpoint" {
  count  = var.endpoint == "none" ? 0 : 1
  name   = "endpoint"
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "endpoint" {
  count                        = var.endpoint == "none" ? 0 : 1
  security_group_id            = aws_security_group.endpoint[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.reader.id
}

resource "aws_vpc_endpoint" "s3" {
  count               = var.endpoint == "none" ? 0 : 1
  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.us-west-2.s3"
  subnet_ids          = [aws_subnet.closed.id]
  security_group_ids  = [aws_security_group.endpoint[0].id]
  private_dns_enabled = var.endpoint == "private"

  dynamic "dns_options" {
    for_each = var.endpoint == "private" ? [1] : []
    content {
      private_dns_only_for_inbound_resolver_endpoint = false
    }
  }
}
