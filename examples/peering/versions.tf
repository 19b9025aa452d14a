terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.30, < 7.0"
    }
  }
}

variable "region" {
  type    = string
  default = "us-west-2"
}

variable "environment" {
  description = "A tag on everything."
  type        = string
  default     = "example"
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Environment = var.environment }
  }
}
