// Package terraform runs the real Terraform, with the real AWS provider, against a region: plans, applies, plans
// again, destroys. Everyday tests replay what the provider sends; this one needs the provider itself and about two
// minutes, so it runs only where it is told where the provider is (make e2e-terraform).
package terraform
