//go:build models

// Package tools pins the module that carries the AWS models; nothing compiles against it.
package tools

import _ "github.com/aws/aws-sdk-go"
