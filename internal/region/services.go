package region

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/api/server"
	"github.com/culvert-cloud/culvert/internal/api/sigv4"
	"github.com/culvert-cloud/culvert/internal/network/endpoint"
	"github.com/culvert-cloud/culvert/internal/objects"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/ec2"
	"github.com/culvert-cloud/culvert/internal/service/iam"
	"github.com/culvert-cloud/culvert/internal/service/lambda"
	"github.com/culvert-cloud/culvert/internal/service/logs"
	"github.com/culvert-cloud/culvert/internal/service/s3"
	"github.com/culvert-cloud/culvert/internal/service/sts"
	"github.com/culvert-cloud/culvert/internal/state"
	"github.com/culvert-cloud/culvert/internal/view/inspect"
)

// operatorKey is the key pair of the account's root, for the tools on the host. It protects nothing: who reaches
// the host's door is the operator.
var operatorKey = sts.AccessKey{ID: "test", Secret: "test"}

func (r *Region) openObjects(ctx context.Context) error {
	path, err := r.directory.sub("objects")
	if err != nil {
		return err
	}
	engine, err := objects.Start(ctx, objects.Config{Dir: path, Region: r.config.Region, Owner: s3.CanonicalUserID(Account), Log: r.config.Log})
	if err != nil {
		return fmt.Errorf("start the object engine: %w", err)
	}
	r.engine = engine
	r.later(engine.Close)
	return nil
}

// openServices makes the services and the front door to them.
func (r *Region) openServices(ctx context.Context) error {
	r.loop = r.newLoop()
	if _, err := r.store.Update(func(tx *state.Tx) error {
		if r.config.DefaultVPC && tx.Revision() == 0 { // a default VPC that was deleted stays so
			if err := ec2.CreateDefaultVPC(tx); err != nil {
				return err
			}
		}
		return errors.Join(forgetRuns(tx), ec2.Bootstrap(tx), iam.Bootstrap(tx))
	}); err != nil {
		return fmt.Errorf("store what AWS provides: %w", err)
	}
	if err := errors.Join(r.openCalls(), r.openIdentity(), r.openRun()); err != nil {
		return err
	}
	authorizer := server.NewAuthorizer(r.decide)
	authorizer.Seal = r.vault.SealMessage
	objectStore := s3.New(s3.Config{
		Store: r.store, Engine: r.engine.Transport(), Log: r.config.Log,
		Authorize: authorizer.Authorize, SigningKey: server.SigningKey,
	})
	if err := r.openLogs(); err != nil {
		return err
	}
	r.openFlowLogs(objectStore)
	if err := r.openFunctions(objectStore, authorizer); err != nil {
		return err
	}
	r.services = []service.Definition{
		ec2.New(ec2.Config{Console: r.console, DeliveryError: r.flowLogs.failure, MayChangePolicy: r.mayChangePolicy}), r.openBalancer(), r.iam.Definition(), sts.New(r.vault, r.iam).Definition(), r.functions.Definition(), r.logs.Definition(), objectStore.Definition(),
	}
	r.objectOperations = objectStore.Operations()
	var err error
	r.server, err = server.New(server.Config{
		Log: r.config.Log, Store: r.store, Keys: keys{r.vault}, Authorizer: authorizer,
		Settle: r.settle, SettleTimeout: settleLimit, Inspect: inspect.New(r.inspector()),
		Services: r.services, Record: r.recorded,
	})
	return err
}

// decide lets the front door ask IAM in its own words.
func (r *Region) decide(view state.Reader, call *api.Call, q server.Question) (policy.Decision, error) {
	return r.iam.Decide(view, call, iam.Question(q))
}

// sessionKey is the file of the key that sessions are sealed with. It is made after the first commit to the state.
const sessionKey = "session-key"

func (r *Region) openIdentity() error {
	key, err := r.directory.key(sessionKey)
	if err != nil {
		return err
	}
	pki, err := r.directory.sub("authority")
	if err != nil {
		return err
	}
	if r.authority, err = endpoint.OpenAuthority(pki); err != nil {
		return err
	}
	r.vault, err = sts.NewVault(sts.VaultConfig{
		Key: key, Account: Account, Operator: operatorKey,
		Role: func(name string) (*resource.Role, bool) { return state.Get[*resource.Role](r.store.View(), name) },
		User: r.userOfKey,
	})
	if err != nil {
		return err
	}
	r.iam = iam.New(iam.Config{NewAccessKey: r.vault.NewUserKey})
	return nil
}

// userOfKey finds whose an active access key is.
func (r *Region) userOfKey(id string) (*resource.User, bool) {
	v := r.store.View()
	k, ok := state.Get[*resource.AccessKey](v, id)
	if !ok || k.Inactive {
		return nil, false
	}
	return state.Get[*resource.User](v, k.User)
}

func (r *Region) openLogs() error {
	path, err := r.directory.sub("logs")
	if err != nil {
		return err
	}
	events, err := logs.OpenEvents(path)
	if err != nil {
		return err
	}
	if r.logs, err = logs.New(logs.Config{State: r.store, Events: events}); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.logs.Expire(ctx, func(err error) { r.config.Log.Warn("old log events not removed", "error", err) })
	}()
	r.later(func() error { stop(); <-done; return nil })
	return nil
}

func (r *Region) openFunctions(objectStore *s3.Service, authorizer *server.Authorizer) error {
	path, err := r.directory.sub("code")
	if err != nil {
		return err
	}
	code, err := lambda.OpenCodeStore(path, r.store)
	if err != nil {
		return err
	}
	bundle, err := writeBundle(r.directory.path, r.authority.PEM())
	if err != nil {
		return err
	}
	if err := r.openCompute(code, bundle); err != nil {
		return err
	}
	r.functions, err = lambda.New(lambda.Config{
		State: r.store, Code: code, Executor: executor{r}, Roles: r.iam, Log: r.config.Log, Settle: r.settle, FetchObject: objectStore.GetObject,
		Authorize: authorizer.Authorize, Retries: r.config.retries(),
	})
	if err != nil {
		return err
	}
	r.later(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), endLimit)
		defer cancel()
		return r.functions.Close(ctx)
	})
	return nil
}

// serve answers on the host's door.
func (r *Region) serve(context.Context) error {
	r.host = server.HTTPServer(r.server)
	r.host.ErrorLog = slog.NewLogLogger(r.config.Log.Handler(), slog.LevelDebug)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.host.Serve(r.listener); !errors.Is(err, http.ErrServerClosed) {
			r.config.Log.Error("the host's door closed", "error", err)
			r.end()
		}
	}()
	r.later(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), endLimit)
		defer cancel()
		if r.host.Shutdown(ctx) != nil {
			_ = r.host.Close()
		}
		<-done
		return nil
	})
	return nil
}

// keys lets the front door ask the vault in its own words.
type keys struct{ vault *sts.Vault }

func (k keys) Lookup(id, token string, now time.Time) (sigv4.Credential, error) {
	c, err := k.vault.Lookup(id, token, now)
	switch {
	case errors.Is(err, sts.ErrUnknownKey):
		return sigv4.Credential{}, sigv4.ErrUnknownKey
	case errors.Is(err, sts.ErrInvalidToken):
		return sigv4.Credential{}, sigv4.ErrInvalidToken
	case errors.Is(err, sts.ErrExpiredToken):
		return sigv4.Credential{}, sigv4.ErrExpiredToken
	case err != nil:
		return sigv4.Credential{}, err
	}
	return sigv4.Credential{Secret: c.Secret, Caller: c.Caller}, nil
}
