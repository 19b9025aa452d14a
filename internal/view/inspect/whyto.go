package inspect

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// to reads the destination.
func (e *ends) to(target string) error {
	path, isObject := strings.CutPrefix(target, objectScheme)
	function, isFunction := strings.CutPrefix(target, "function:")
	address, err := netip.ParseAddr(target)
	switch {
	case isObject:
		e.flow.Name = bucketName(path, e.topology.Region)
	case isFunction:
		return e.toFunction(function)
	case target == theInternet:
		return e.toInternet()
	case strings.Contains(target, "://"):
		return e.toURL(target)
	case strings.HasPrefix(target, "i-"):
		id, err := e.instance(target)
		if err != nil {
			return err
		}
		return e.to(string(id))
	case strings.HasPrefix(target, "eni-"):
		n := e.topology.ENIs[resource.NetworkInterfaceID(target)]
		if n == nil {
			return notFound("there is no interface %q in this region; %s", target, e.known())
		}
		e.toInterface(n)
	case err == nil:
		e.flow.To = address.Unmap()
	case strings.Contains(target, ".") && !e.isService(target): // ecr.dkr is one
		e.flow.Name = strings.ToLower(strings.TrimSuffix(target, "."))
	default:
		return e.toNamed(target)
	}
	return nil
}

func (e *ends) toInternet() error {
	for _, s := range e.sources {
		if s.eni == "" {
			return badRequest("both ends are on the internet, where there is nothing to explain")
		}
	}
	e.flow.Internet = true
	return nil
}

// toInterface takes the address that the source would use: from outside that is a public one, if there is one.
func (e *ends) toInterface(n *topology.ENI) {
	e.flow.To, e.meant = n.Address(), n.ID
	if len(n.Public) > 0 && e.sources[0].eni == "" {
		e.flow.To = n.Public[0].Public
	}
}

func (e *ends) toFunction(name string) error {
	f, ok := state.Get[*resource.Function](e.view, name)
	switch {
	case !ok:
		return notFound("there is no function %q in this region; %s", name, e.known())
	case f.VPCConfig == nil:
		return badRequest("function %s is in no VPC: it has no address; call it through the service lambda", name)
	}
	for _, id := range f.VPCConfig.NetworkInterfaceIDs {
		if n := e.topology.ENIs[id]; n != nil {
			e.toInterface(n)
			return nil
		}
	}
	return notFound("function %s has no interface", name)
}

// toURL takes name and port, which --port must not contradict: see traffic.
func (e *ends) toURL(target string) error {
	u, err := url.Parse(target)
	if err != nil || u.Hostname() == "" {
		return badRequest("%q is no URL such as https://host:8443/path", target)
	}
	e.flow.Port = map[string]uint16{"http": 80, "https": 443}[u.Scheme]
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return badRequest("port %q is not between 1 and 65535", p)
		}
		e.flow.Port = uint16(n)
	}
	if e.flow.Port == 0 {
		return badRequest("%q has a scheme whose port is not known: use http://, https:// or add the port", target)
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		e.flow.To = a.Unmap()
		return nil
	}
	e.flow.Name = strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	return nil
}

func (e *ends) isService(name string) bool {
	return slices.ContainsFunc(e.topology.Services, func(s *topology.PublicService) bool { return s.Service == name })
}

// toNamed is a service or a function.
func (e *ends) toNamed(target string) error {
	_, isFunction := state.Get[*resource.Function](e.view, target)
	var services []string
	for _, s := range e.topology.Services {
		if s.Service != target {
			if !s.ReachableOnly { // the others are too many to list
				services = append(services, s.Service)
			}
			continue
		}
		if isFunction {
			return badRequest("%q is a service and a function: ask for function:%s or for %s", target, target, topology.MainName(e.topology.Region, target))
		}
		e.flow.Name = topology.MainName(e.topology.Region, target)
		return nil
	}
	if isFunction {
		return e.toFunction(target)
	}
	return notFound("%q is no service of this region (%s), no DNS name, no URL, no address and no function; %s", target, strings.Join(services, ", "), e.known())
}
