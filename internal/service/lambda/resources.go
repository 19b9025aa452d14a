package lambda

import (
	"fmt"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// on declares the function that a call names, with its qualifier if it has one, as the resource, with its policy.
func on[In any](f func(*In) (name, qualifier *string)) service.Option {
	return func(o *service.Operation) {
		service.On(func(r state.Reader, in *In) []string {
			name, qualifier := f(in)
			return []string{declaredARN(r, name, qualifier)}
		})(o)
		service.ResourcePolicy(func(r state.Reader, in *In) service.Policy {
			name, qualifier := f(in)
			return policyOf(r, name, qualifier)
		})(o)
	}
}

// onLayer declares the layer that a call names as the resource, or one version of it with its policy.
func onLayer[In any](f func(*In) (name *string, version *int64)) service.Option {
	return func(o *service.Operation) {
		service.On(func(r state.Reader, in *In) []string {
			name, version := f(in)
			ref, ok := parseLayer(value(name))
			if !ok {
				return []string{layerARN(r, value(name))}
			}
			arn := layerARN(r, ref.name)
			if ref.account != "" {
				arn = fmt.Sprintf("arn:aws:lambda:%s:%s:layer:%s", ref.region, ref.account, ref.name)
			}
			if version != nil {
				arn += ":" + strconv.FormatInt(*version, 10)
			}
			return []string{arn}
		})(o)
		service.ResourcePolicy(func(r state.Reader, in *In) service.Policy {
			name, version := f(in)
			if version == nil {
				return service.Policy{}
			}
			return policyOfLayer(r, name, version)
		})(o)
	}
}

// using declares the role and the layers of a function. A layer is used by who may read it.
func using[In any](f func(*In) (role *string, layers []string)) service.Option {
	return service.Needs(func(r state.Reader, in *In) []service.Need {
		role, layers := f(in)
		needs := passed(role)
		for _, arn := range layers {
			ref, ok := parseLayer(arn)
			if !ok || ref.version == 0 {
				continue // refused later, in other words
			}
			needs = append(needs, service.Need{Action: "lambda:GetLayerVersion", Resource: arn, Policy: policyOfLayer(r, &arn, ptr(int64(ref.version)))})
		}
		return needs
	})
}

// passed is the permission to give a role to Lambda: a caller who may not pass it must not act as it through a
// function. See the IAM guide, "Grant a user permissions to pass a role to an AWS service".
func passed(arn *string) []service.Need {
	if arn == nil {
		return nil
	}
	return []service.Need{{
		Action: "iam:PassRole", Resource: *arn, Keys: map[string][]string{"iam:passedtoservice": {lambdaPrincipal}},
	}}
}

// layerOfARN takes the ARN of a layer's version apart.
func layerOfARN(arn *string) (name *string, version *int64) {
	if ref, ok := parseLayer(value(arn)); ok && ref.version > 0 {
		return arn, ptr(int64(ref.version))
	}
	return arn, nil
}
