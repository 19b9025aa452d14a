terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-west-2"
}
variable "interval" { default = 10 }
variable "cross" { default = false }
resource "aws_vpc" "p" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "p" {
  vpc_id            = aws_vpc.p.id
  cidr_block        = "10.0.1.0/24"
  availability_zone = "us-west-2a"
}
resource "aws_security_group" "nlb" {
  vpc_id = aws_vpc.p.id
}
resource "aws_lb" "this" {
  name                             = "inner"
  internal                         = true
  load_balancer_type               = "network"
  subnets                          = [aws_subnet.p.id]
  security_groups                  = [aws_security_group.nlb.id]
  enable_cross_zone_load_balancing = var.cross
  tags                             = { Name = "inner" }
}
resource "aws_network_interface" "work" {
  subnet_id = aws_subnet.p.id
}
resource "aws_lb_target_group" "this" {
  name        = "work"
  port        = 8080
  protocol    = "TCP"
  target_type = "ip"
  vpc_id      = aws_vpc.p.id
  health_check {
    protocol = "TCP"
    interval = var.interval
  }
}
resource "aws_lb_target_group_attachment" "this" {
  target_group_arn = aws_lb_target_group.this.arn
  target_id        = aws_network_interface.work.private_ip
}
resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}
resource "aws_vpc_endpoint_service" "this" {
  acceptance_required        = true
  network_load_balancer_arns = [aws_lb.this.arn]
  tags                       = { Name = "svc-${var.interval}" }
}
data "aws_caller_identity" "this" {}
resource "aws_vpc_endpoint_service_allowed_principal" "this" {
  vpc_endpoint_service_id = aws_vpc_endpoint_service.this.id
  principal_arn           = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:root"
}
resource "aws_vpc" "c" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "c" {
  vpc_id            = aws_vpc.c.id
  cidr_block        = "10.0.1.0/24"
  availability_zone = "us-west-2a"
}
resource "aws_vpc_endpoint" "this" {
  vpc_id            = aws_vpc.c.id
  vpc_endpoint_type = "Interface"
  service_name      = aws_vpc_endpoint_service.this.service_name
  subnet_ids        = [aws_subnet.c.id]
}
resource "aws_vpc_endpoint_connection_accepter" "this" {
  vpc_endpoint_service_id = aws_vpc_endpoint_service.this.id
  vpc_endpoint_id         = aws_vpc_endpoint.this.id
}
