package region

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/culvert-cloud/culvert/internal/api/server"
	"github.com/culvert-cloud/culvert/internal/calls"
	"github.com/culvert-cloud/culvert/internal/compute/execution"
	"github.com/culvert-cloud/culvert/internal/compute/instance"
	"github.com/culvert-cloud/culvert/internal/compute/sandbox/namespace"
	"github.com/culvert-cloud/culvert/internal/network/balancer"
	"github.com/culvert-cloud/culvert/internal/network/dataplane/linux"
	"github.com/culvert-cloud/culvert/internal/network/endpoint"
	"github.com/culvert-cloud/culvert/internal/network/flow"
	"github.com/culvert-cloud/culvert/internal/network/topology"
	"github.com/culvert-cloud/culvert/internal/objects"
	"github.com/culvert-cloud/culvert/internal/reconcile"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/iam"
	"github.com/culvert-cloud/culvert/internal/service/lambda"
	"github.com/culvert-cloud/culvert/internal/service/logs"
	"github.com/culvert-cloud/culvert/internal/service/sts"
	"github.com/culvert-cloud/culvert/internal/state"
	"github.com/culvert-cloud/culvert/internal/state/etcd"
)

const (
	retryApply  = 2 * time.Second
	settleLimit = 10 * time.Second
	endLimit    = time.Second // for calls under way, and again for events in queues
)

// Region is a running region.
type Region struct {
	config    Config
	directory *directory
	store     *state.Store
	started   time.Time

	network   *linux.Driver
	flows     *flow.Memory
	traffic   *flow.Totals
	collector *collector
	flowLogs  *flowLogs
	topology  atomic.Pointer[topology.Topology]
	endpoints *endpoint.Endpoints
	balancer  *balancer.Balancer
	authority *endpoint.Authority
	loop      *reconcile.Loop

	engine    *objects.Engine
	iam       *iam.Service
	vault     *sts.Vault
	logs      *logs.Service
	functions *lambda.Service
	pool      *execution.Pool
	instances *instance.Manager
	sandboxes *namespace.Driver
	bundle    string // file of the certificates that workloads trust
	runKey    []byte
	server    *server.Server
	calls     *calls.Log

	services         []service.Definition
	objectOperations []string // S3's protocol is not made of operations, but has them

	host     *http.Server
	listener net.Listener

	ending  chan struct{} // closed when somebody asked for the end
	endOnce sync.Once

	mu      sync.Mutex
	closers []func() error // run in reverse by Close; guarded by mu
}

// Open starts a region and returns once it answers and its network is what the state says. The caller closes it.
// It must run inside the namespaces that package launch makes.
func Open(ctx context.Context, c Config) (*Region, error) {
	r := &Region{config: c, started: time.Now(), ending: make(chan struct{})}
	for _, step := range []func(context.Context) error{
		r.openDirectory, r.openListener, r.openMachinery, r.openServices, r.openNetwork, r.startCollecting, r.startInstances, r.resumeFunctions, r.serve,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(r.explain(err), r.Close())
		}
	}
	return r, nil
}

// explain adds what helps where files are refused: most often a region was run as root before, and now is not.
func (r *Region) explain(err error) error {
	if r.config.Data != "" && errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("%w: the data directory must belong to whoever runs the region, with all that is in it (chown -R, or choose another --data)", err)
	}
	return err
}

// later remembers how to close something.
func (r *Region) later(f func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closers = append(r.closers, f)
}

func (r *Region) openDirectory(context.Context) error {
	open := memoryDirectory
	if r.config.Data != "" {
		open = func() (*directory, error) { return openDirectory(r.config.Data) }
	}
	d, err := open()
	if err != nil {
		return err
	}
	r.directory = d
	r.later(d.close)
	return nil
}

// openListener takes the address early: that it is in use is the commonest reason not to start.
func (r *Region) openListener(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w (choose another with --listen)", r.config.Listen, err)
	}
	r.listener = l
	r.later(func() error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return nil
}

// openMachinery starts what takes time, side by side: the journal and the state in it, the object engine, the
// network's driver. At the same time it tries what the driver will need; where that is refused, nothing else that
// fails is worth telling.
func (r *Region) openMachinery(ctx context.Context) error {
	steps := []func(context.Context) error{r.tryNetwork, r.openState, r.openObjects, r.openDriver}
	errs := make([]error, len(steps))
	var wait sync.WaitGroup
	for i, step := range steps {
		wait.Go(func() { errs[i] = step(ctx) })
	}
	wait.Wait()
	if errs[0] != nil {
		return errs[0]
	}
	return errors.Join(errs...)
}

func (r *Region) openState(context.Context) error {
	var journal state.Journal
	if r.config.Data != "" {
		path, err := r.directory.sub("state")
		if err != nil {
			return err
		}
		j, err := etcd.Open(path)
		if err != nil {
			return err
		}
		journal = j
		r.later(j.Close)
	}
	store, err := state.Open(state.Config{Region: r.config.Region, Account: Account, Quotas: r.config.Quotas, Journal: journal})
	if err != nil {
		return err
	}
	r.store = store
	if journal != nil && store.View().Revision() == 0 && r.directory.has(sessionKey) {
		return fmt.Errorf("the state in %s is lost: it is empty, but the region was used before; put a copy of it back, or move all of %s away to begin with an empty region",
			filepath.Join(r.directory.path, "state"), r.directory.path)
	}
	return nil
}

// URL is where the region's APIs are.
func (r *Region) URL() string { return "http://" + r.listener.Addr().String() }

// Wait returns when the context ends or somebody asked the region to end.
func (r *Region) Wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-r.ending:
	}
}

// end asks for the end; it returns at once.
func (r *Region) end() { r.endOnce.Do(func() { close(r.ending) }) }

// Close ends everything, in reverse order of its start. Closing twice is fine.
func (r *Region) Close() error {
	r.end()
	r.mu.Lock()
	closers := r.closers
	r.closers = nil
	r.mu.Unlock()
	var errs []error
	for _, f := range slices.Backward(closers) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
