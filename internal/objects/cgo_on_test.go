//go:build cgo

package objects_test

const cgo = true
