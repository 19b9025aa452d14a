package region

import (
	"github.com/culvert-cloud/culvert/internal/network/balancer"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/elbv2"
)

// openBalancer makes load balancing: who carries the connections, and the service that is told of the targets' health.
func (r *Region) openBalancer() service.Definition {
	r.balancer = balancer.New(balancer.Config{Log: r.config.Log, Network: r.network})
	return elbv2.New(elbv2.Config{Health: func(g resource.TargetGroupARN, t resource.Target) string {
		a, _, ok := topology.TargetAddress(r.store.View(), t)
		if !ok {
			return string(balancer.Unused)
		}
		t.Address = a
		return string(r.balancer.Health(g, t))
	}})
}
