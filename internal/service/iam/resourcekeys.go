package iam

import (
	"reflect"
	"strings"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// resourceKeys are the condition keys that follow from what an ARN names: its tags, and where in the network it is.
// A resource that is not there has none. Nothing of them comes from the request.
func resourceKeys(r state.Reader, arn string) map[string][]string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[4] != r.Account() {
		return nil
	}
	found, ok := resourceByARN(r, parts[2], parts[5], arn)
	if !ok {
		return nil
	}
	keys := map[string][]string{}
	v := reflect.ValueOf(found).Elem()
	if tags, ok := member[resource.Tags](v, "Tags"); ok {
		for key, value := range tags {
			name := "resourcetag/" + strings.ToLower(key)
			keys["aws:"+name] = []string{value}
			if parts[2] != "logs" && parts[2] != "lambda" { // these two have no prefix of their own
				keys[parts[2]+":"+name] = []string{value}
			}
		}
	}
	if parts[2] == "ec2" {
		putNetworkKeys(r, keys, v)
	}
	return keys
}

// resourceByARN finds what the last part of an ARN names.
func resourceByARN(r state.Reader, service, name, arn string) (state.Resource, bool) {
	kind, id, _ := strings.Cut(name, "/")
	last := id[strings.LastIndexByte(id, '/')+1:]
	switch service {
	case "ec2":
		return state.Lookup(r, resource.Kind(kind), id)
	case "iam":
		return iamByARN(r, kind, last, arn)
	case "lambda":
		function, _, _ := strings.Cut(strings.TrimPrefix(name, "function:"), ":")
		return state.Lookup(r, resource.KindFunction, function)
	case "logs":
		group, _, _ := strings.Cut(strings.TrimPrefix(name, "log-group:"), ":")
		return state.Lookup(r, resource.KindLogGroup, group)
	case "elasticloadbalancing":
		kinds := map[string]resource.Kind{"loadbalancer": resource.KindLoadBalancer, "targetgroup": resource.KindTargetGroup, "listener": resource.KindListener}
		return state.Lookup(r, kinds[kind], arn)
	}
	return nil, false
}

func iamByARN(r state.Reader, kind, name, arn string) (state.Resource, bool) {
	switch kind {
	case "role":
		return state.Lookup(r, resource.KindRole, name)
	case "user":
		return state.Lookup(r, resource.KindUser, name)
	case "policy":
		return state.Lookup(r, resource.KindPolicy, arn)
	case "instance-profile":
		return state.Lookup(r, resource.KindInstanceProfile, name)
	}
	return nil, false
}

// putNetworkKeys puts where a resource of EC2 is.
func putNetworkKeys(r state.Reader, keys map[string][]string, v reflect.Value) {
	put := func(key, value string) {
		if value != "" {
			keys[key] = []string{value}
		}
	}
	arn := func(kind, id string) string {
		if id == "" {
			return ""
		}
		return "arn:aws:ec2:" + r.Region() + ":" + r.Account() + ":" + kind + "/" + id
	}
	vpc, _ := member[resource.VPCID](v, "VPCID")
	if _, itself := v.Addr().Interface().(*resource.VPC); itself {
		vpc, _ = member[resource.VPCID](v, "ID")
		put("ec2:vpcid", string(vpc))
	} else {
		put("ec2:vpc", arn("vpc", string(vpc)))
	}
	if subnet, ok := member[resource.SubnetID](v, "SubnetID"); ok {
		put("ec2:subnet", arn("subnet", string(subnet)))
	}
	zone, _ := member[string](v, "AvailabilityZone")
	put("ec2:availabilityzone", zone)
	instanceType, _ := member[string](v, "InstanceType")
	put("ec2:instancetype", instanceType)
	endpointService, _ := member[string](v, "ServiceName")
	if _, endpoint := v.Addr().Interface().(*resource.VPCEndpoint); endpoint {
		put("ec2:vpceservicename", endpointService)
	}
}

// member is a field of a struct, if it has that type.
func member[T any](v reflect.Value, name string) (T, bool) {
	var none T
	f := v.FieldByName(name)
	if !f.IsValid() {
		return none, false
	}
	got, ok := f.Interface().(T)
	return got, ok
}
