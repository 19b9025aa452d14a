package program

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/culvert-cloud/culvert/internal/demo"
	"github.com/culvert-cloud/culvert/internal/launch"
	"github.com/culvert-cloud/culvert/internal/network/dataplane/linux"
	"github.com/culvert-cloud/culvert/internal/region"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/view/cli"
)

// up runs a region until it is told to end.
func up(ctx context.Context, o cli.UpOptions) error {
	quotas, err := resource.ParseQuotas(o.Quotas)
	if err != nil {
		return cli.UsageError(err)
	}
	if o.FlowLogInterval != 0 && (o.FlowLogInterval < time.Second || o.FlowLogInterval > 10*time.Minute) {
		return cli.UsageError(fmt.Errorf("--flow-log-interval is %s: it must be from 1s to 10m, or 0 for what each flow log says", o.FlowLogInterval))
	}
	if err := launch.Reexec(ctx); err != nil {
		return err
	}
	level := slog.LevelWarn
	if o.Verbose {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	if o.Ephemeral {
		o.Data = ""
	}
	warn(o)
	r, err := region.Open(ctx, region.Config{
		Region: o.Region, Listen: o.Listen, Data: o.Data, AssumePrivateDNS: o.AssumePrivateDNS, DefaultVPC: o.DefaultVPC, Quotas: quotas, Version: version, Log: log,
		FlowLogInterval: o.FlowLogInterval,
	})
	if err != nil {
		return unlessEnded(ctx, err)
	}
	fmt.Printf("culvert: ready on %s\n", r.URL())
	r.Wait(ctx)
	return r.Close()
}

// warn says what is unusual about a region before it starts.
func warn(o cli.UpOptions) {
	if o.AssumePrivateDNS {
		fmt.Fprintln(os.Stderr, "culvert: warning: private DNS is assumed for every interface endpoint. AWS does not do that: what works here may time out there.")
	}
	host, _, _ := net.SplitHostPort(o.Listen)
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		fmt.Fprintf(os.Stderr, "culvert: warning: %s is not a loopback address. Whoever reaches it is the operator of this region.\n", o.Listen)
	}
}

// runDemo tells the demo's story in a region of its own.
func runDemo(ctx context.Context, o cli.DemoOptions) error {
	if err := launch.Reexec(ctx); err != nil {
		return err
	}
	start := time.Now()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	r, err := region.Open(ctx, region.Config{Region: "us-west-2", Listen: "127.0.0.1:0", Version: version, Log: log})
	if err != nil {
		return unlessEnded(ctx, err)
	}
	ready := time.Since(start)
	ok, err := demo.Run(ctx, demo.Options{
		Runtime: o.Runtime, TimeoutSeconds: o.TimeoutSeconds, GBPerMonth: o.GBPerMonth, Samples: o.Samples, Pictures: o.Pictures, JSON: o.JSON, Colour: o.Colour, Out: o.Out,
		Endpoint: r.URL(), Region: "us-west-2", Account: region.Account, Ready: ready, Rootless: launch.Rootless(),
	})
	if closing := r.Close(); err == nil {
		err = closing
	}
	if err == nil && !ok {
		return cli.Fail()
	}
	return unlessEnded(ctx, err)
}

// unlessEnded says nothing of what failed only because somebody asked for the end.
func unlessEnded(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return cli.Fail()
	}
	return err
}

// preflight tries the network on this machine.
func preflight(ctx context.Context) error {
	if err := launch.Reexec(ctx); err != nil {
		return err
	}
	return linux.Preflight(ctx)
}
