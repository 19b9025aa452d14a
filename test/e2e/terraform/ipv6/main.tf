terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-west-2"
}
variable "each" { default = true }  # new interfaces get an IPv6 address
variable "out" { default = "eigw" } # how IPv6 leaves the private subnet
resource "aws_vpc" "this" {
  cidr_block                       = "10.0.0.0/16"
  assign_generated_ipv6_cidr_block = true
}
resource "aws_subnet" "private" {
  vpc_id                          = aws_vpc.this.id
  cidr_block                      = "10.0.1.0/24"
  ipv6_cidr_block                 = cidrsubnet(aws_vpc.this.ipv6_cidr_block, 8, 1)
  assign_ipv6_address_on_creation = var.each
}
resource "aws_subnet" "public" {
  vpc_id          = aws_vpc.this.id
  cidr_block      = "10.0.2.0/24"
  ipv6_cidr_block = cidrsubnet(aws_vpc.this.ipv6_cidr_block, 8, 2)
}
resource "aws_egress_only_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "out" }
}
resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}
resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
}
resource "aws_route" "private" {
  route_table_id              = aws_route_table.private.id
  destination_ipv6_cidr_block = "::/0"
  egress_only_gateway_id      = var.out == "eigw" ? aws_egress_only_internet_gateway.this.id : null
  gateway_id                  = var.out == "eigw" ? null : aws_internet_gateway.this.id
}
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  route {
    ipv6_cidr_block = "::/0"
    gateway_id      = aws_internet_gateway.this.id
  }
  route {
    ipv6_cidr_block        = "2001:db8:ffff::/48"
    egress_only_gateway_id = aws_egress_only_internet_gateway.this.id
  }
}
resource "aws_route_table_association" "private" {
  subnet_id      = aws_subnet.private.id
  route_table_id = aws_route_table.private.id
}
resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  egress {
    protocol         = "-1"
    from_port        = 0
    to_port          = 0
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
}
resource "aws_security_group" "web" {
  name   = "web"
  vpc_id = aws_vpc.this.id
  ingress {
    protocol         = "tcp"
    from_port        = 443
    to_port          = 443
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0", "2001:db8:1::/48"]
  }
  egress {
    protocol         = "icmpv6"
    from_port        = -1
    to_port          = -1
    ipv6_cidr_blocks = ["::/0"]
  }
}
resource "aws_security_group" "rules" {
  name   = "rules"
  vpc_id = aws_vpc.this.id
}
resource "aws_vpc_security_group_ingress_rule" "six" {
  security_group_id = aws_security_group.rules.id
  cidr_ipv6         = var.each ? "2001:db8:2::/48" : "2001:db8:3::/48"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}
resource "aws_vpc_security_group_egress_rule" "list" {
  security_group_id = aws_security_group.rules.id
  prefix_list_id    = aws_ec2_managed_prefix_list.six.id
  ip_protocol       = "-1"
}
resource "aws_ec2_managed_prefix_list" "six" {
  name           = "six"
  address_family = "IPv6"
  max_entries    = 3
  entry {
    cidr        = aws_vpc.this.ipv6_cidr_block
    description = "here"
  }
  dynamic "entry" {
    for_each = var.each ? [] : ["2001:db8:4::/48"]
    content {
      cidr = entry.value
    }
  }
}
resource "aws_network_acl" "this" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = [aws_subnet.public.id]
  ingress {
    rule_no         = 100
    protocol        = "-1"
    action          = "allow"
    ipv6_cidr_block = "::/0"
    from_port       = 0
    to_port         = 0
  }
  egress {
    rule_no         = 110
    protocol        = "58"
    action          = "allow"
    ipv6_cidr_block = "::/0"
    from_port       = 0
    to_port         = 0
    icmp_type       = 128
    icmp_code       = -1
  }
}
resource "aws_default_network_acl" "this" {
  default_network_acl_id = aws_vpc.this.default_network_acl_id
  subnet_ids             = [aws_subnet.private.id]
  ingress {
    rule_no    = 100
    protocol   = "-1"
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  ingress {
    rule_no         = 101
    protocol        = "-1"
    action          = "allow"
    ipv6_cidr_block = "::/0"
    from_port       = 0
    to_port         = 0
  }
  egress {
    rule_no         = 101
    protocol        = "-1"
    action          = "allow"
    ipv6_cidr_block = "::/0"
    from_port       = 0
    to_port         = 0
  }
}
resource "aws_network_interface" "counted" {
  subnet_id          = aws_subnet.public.id
  ipv6_address_count = var.each ? 1 : 2
}
resource "aws_network_interface" "named" {
  subnet_id      = aws_subnet.public.id
  ipv6_addresses = [cidrhost(aws_subnet.public.ipv6_cidr_block, var.each ? 16 : 17)]
}
resource "aws_network_interface" "given" {
  subnet_id  = aws_subnet.private.id
  depends_on = [aws_subnet.private]
  lifecycle {
    ignore_changes = [ipv6_addresses, ipv6_address_count]
  }
}
