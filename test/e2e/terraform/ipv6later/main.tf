terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-west-2"
}
variable "six" { default = false }
resource "aws_vpc" "this" {
  cidr_block                       = "10.0.0.0/16"
  assign_generated_ipv6_cidr_block = var.six
}
resource "aws_vpc" "other" {
  cidr_block                       = "10.1.0.0/16"
  assign_generated_ipv6_cidr_block = !var.six
}
resource "aws_subnet" "this" {
  vpc_id                          = aws_vpc.this.id
  cidr_block                      = "10.0.1.0/24"
  ipv6_cidr_block                 = var.six ? cidrsubnet(aws_vpc.this.ipv6_cidr_block, 8, 1) : null
  assign_ipv6_address_on_creation = var.six
}
resource "aws_security_group" "this" {
  vpc_id = aws_vpc.this.id
}
