terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-west-2"
}
variable "role" { default = "first" }
variable "profile" { default = true }
resource "aws_vpc" "this" {
  cidr_block                       = "10.0.0.0/16"
  assign_generated_ipv6_cidr_block = true
}
resource "aws_vpc_ipv6_cidr_block_association" "this" {
  vpc_id                           = aws_vpc.this.id
  assign_generated_ipv6_cidr_block = true
}
resource "aws_subnet" "this" {
  vpc_id          = aws_vpc.this.id
  cidr_block      = "10.0.1.0/24"
  ipv6_cidr_block = cidrsubnet(aws_vpc.this.ipv6_cidr_block, 8, 1)
}
data "aws_ami" "this" {
  most_recent = true
  owners      = ["amazon"]
  filter {
    name   = "name"
    values = ["al2023-ami-2023*"]
  }
}
resource "aws_iam_role" "this" {
  for_each = toset(["first", "second"])
  name     = each.key
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["ec2.amazonaws.com"] } }]
  })
}
resource "aws_iam_instance_profile" "this" {
  for_each = aws_iam_role.this
  name     = each.key
  role     = each.value.name
}
resource "aws_instance" "this" {
  ami                  = data.aws_ami.this.id
  instance_type        = "t3.micro"
  subnet_id            = aws_subnet.this.id
  ipv6_address_count   = 1
  iam_instance_profile = var.profile ? aws_iam_instance_profile.this[var.role].name : null
}
