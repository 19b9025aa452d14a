data "aws_availability_zones" "available" {
  state = "available"
}

locals {
  zones = slice(data.aws_availability_zones.available.names, 0, 2)
  tiers = { public = 0, app = 1, data = 2 }
  subnets = merge([for tier, n in local.tiers : {
    for i, zone in local.zones : "${tier}-${i}" => { tier = tier, zone = zone, number = n * 10 + i }
  }]...)
}

resource "aws_vpc" "main" {
  cidr_block           = "10.6.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "three-tier" }
}

resource "aws_subnet" "main" {
  for_each          = local.subnets
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, each.value.number)
  availability_zone = each.value.zone
  tags              = { Name = each.key, Tier = each.value.tier }
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}

resource "aws_route_table" "main" {
  for_each = local.tiers
  vpc_id   = aws_vpc.main.id
  tags     = { Name = each.key }
}

resource "aws_route_table_association" "main" {
  for_each       = local.subnets
  subnet_id      = aws_subnet.main[each.key].id
  route_table_id = aws_route_table.main[each.value.tier].id
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.main["public"].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.main.id
  service_name    = "com.amazonaws.${var.region}.s3"
  route_table_ids = [aws_route_table.main["app"].id]
}

# The data tier is guarded twice: by its groups, and at the subnets' edge.
resource "aws_network_acl" "data" {
  vpc_id     = aws_vpc.main.id
  subnet_ids = [for key, s in local.subnets : aws_subnet.main[key].id if s.tier == "data"]

  dynamic "ingress" {
    for_each = [for key, s in local.subnets : aws_subnet.main[key].cidr_block if s.tier == "app"]
    content {
      rule_no    = 100 + ingress.key
      action     = "allow"
      protocol   = "tcp"
      cidr_block = ingress.value
      from_port  = 5432
      to_port    = 5432
    }
  }

  dynamic "egress" {
    for_each = [for key, s in local.subnets : aws_subnet.main[key].cidr_block if s.tier == "app"]
    content {
      rule_no    = 100 + egress.key
      action     = "allow"
      protocol   = "tcp"
      cidr_block = egress.value
      from_port  = 1024
      to_port    = 65535
    }
  }
}

resource "aws_security_group" "tier" {
  for_each    = local.tiers
  name_prefix = "${each.key}-"
  description = "The ${each.key} tier."
  vpc_id      = aws_vpc.main.id
  tags        = { Name = each.key }
}

resource "aws_vpc_security_group_ingress_rule" "web" {
  security_group_id = aws_security_group.tier["public"].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_ingress_rule" "app" {
  security_group_id            = aws_security_group.tier["app"].id
  referenced_security_group_id = aws_security_group.tier["public"].id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}

resource "aws_vpc_security_group_ingress_rule" "data" {
  security_group_id            = aws_security_group.tier["data"].id
  referenced_security_group_id = aws_security_group.tier["app"].id
  ip_protocol                  = "tcp"
  from_port                    = var.data_port
  to_port                      = var.data_port
}

resource "aws_vpc_security_group_egress_rule" "out" {
  for_each          = { for tier, n in local.tiers : tier => n if tier != "data" }
  security_group_id = aws_security_group.tier[each.key].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

variable "data_port" {
  description = "What the data tier's group lets in. The network ACL lets in 5432 only."
  type        = number
  default     = 5432
}
