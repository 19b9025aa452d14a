terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-west-2"
}
variable "attached" { default = true }
variable "checked" { default = true }
resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "this" {
  for_each          = { front = "10.0.1.0/24", back = "10.0.2.0/24" }
  vpc_id            = aws_vpc.this.id
  cidr_block        = each.value
  availability_zone = "us-west-2a"
}
data "aws_ami" "this" {
  most_recent = true
  owners      = ["amazon"]
  filter {
    name   = "name"
    values = ["al2023-ami-2023*"]
  }
}
resource "aws_network_interface" "this" {
  for_each          = { first = "front", second = "back", later = "back" }
  subnet_id         = aws_subnet.this[each.value].id
  source_dest_check = var.checked
}
resource "aws_network_interface" "inline" {
  subnet_id = aws_subnet.this["back"].id
  attachment {
    instance     = aws_instance.plain.id
    device_index = 2
  }
}
# An instance that is launched with two interfaces.
resource "aws_instance" "two" {
  ami           = data.aws_ami.this.id
  instance_type = "t3.micro"
  network_interface {
    device_index         = 0
    network_interface_id = aws_network_interface.this["first"].id
  }
  network_interface {
    device_index         = 1
    network_interface_id = aws_network_interface.this["second"].id
  }
}
# One that is given two more while it runs.
resource "aws_instance" "plain" {
  ami           = data.aws_ami.this.id
  instance_type = "t3.small"
  subnet_id     = aws_subnet.this["front"].id
}
resource "aws_network_interface_attachment" "this" {
  count                = var.attached ? 1 : 0
  instance_id          = aws_instance.plain.id
  network_interface_id = aws_network_interface.this["later"].id
  device_index         = 1
}
