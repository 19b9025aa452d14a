// Package etcd keeps the journal of the state in an etcd server that runs inside this process.
//
// It never serves anybody else: the server has no client listener and no peer. The state package reads the
// journal once, at start, and only appends afterwards, so the server's memory holds little. Every commit is
// one etcd transaction, synced to disk before it is answered.
package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.etcd.io/etcd/server/v3/storage/wal"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const (
	prefix      = "/culvert/resource/"
	revisionKey = "/culvert/revision"
	startLimit  = 20 * time.Second
	writeLimit  = 10 * time.Second
)

// Journal is a state.Journal in a directory. One process at a time may have it open.
type Journal struct {
	server *embed.Etcd
	client *clientv3.Client
	alarm  *alarm
}

// Open starts the server on a directory, which it makes if need be.
func Open(directory string) (*Journal, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	j, err := openWhole(directory)
	if err != nil {
		return nil, fmt.Errorf("open state in %s: %w (if it is damaged: put a copy of it back, or move the region's whole directory away to begin with an empty one)", directory, err)
	}
	return j, nil
}

func openWhole(directory string) (*Journal, error) {
	if err := whole(directory); err != nil {
		return nil, err
	}
	// The default preallocates 64 MB for every log segment: too much for a handful of resources.
	wal.SegmentSizeBytes = 4 << 20
	alarm := newAlarm()
	server, err := start(configure(directory, alarm), alarm)
	if err != nil {
		return nil, err
	}
	select {
	case <-server.Server.ReadyNotify():
		return &Journal{server: server, client: v3client.New(server.Server), alarm: alarm}, nil
	case err = <-server.Err():
	case <-alarm.context.Done(): // it will not end by itself either
		return nil, context.Cause(alarm.context)
	case <-time.After(startLimit):
		err = fmt.Errorf("not ready after %s", startLimit)
	}
	server.Close()
	return nil, err
}

// whole refuses a directory of which the server would wait for the other half.
func whole(directory string) error {
	member := filepath.Join(directory, "etcd", "member")
	if _, err := os.Stat(filepath.Join(member, "snap", "db")); err != nil {
		return nil
	}
	logs, err := filepath.Glob(filepath.Join(member, "wal", "*.wal"))
	if err != nil || len(logs) > 0 {
		return err
	}
	return fmt.Errorf("%s has no log files", filepath.Join(member, "wal"))
}

func configure(directory string, a *alarm) *embed.Config {
	c := embed.NewConfig()
	c.Name = "culvert"
	c.Dir = filepath.Join(directory, "etcd")
	nobody := url.URL{Scheme: "http", Host: "localhost:0"}
	c.ListenPeerUrls, c.ListenClientUrls, c.AdvertiseClientUrls = nil, nil, nil
	c.AdvertisePeerUrls = []url.URL{nobody}
	c.InitialCluster = c.Name + "=" + nobody.String()
	// A single member elects itself: no reason to wait for others.
	c.TickMs, c.ElectionMs = 10, 50
	c.MaxTxnOps = 10_000
	c.MaxRequestBytes = 16 << 20
	c.AutoCompactionMode, c.AutoCompactionRetention = embed.CompactorModeRevision, "1000"
	c.SnapshotCount = 1000
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop().WithOptions(zap.WithPanicHook(a), zap.WithFatalHook(a)))
	return c
}

// Load implements state.Journal.
func (j *Journal) Load(f func(state.Entry) error) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	response, err := j.client.Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		return 0, fmt.Errorf("read resources: %w", err)
	}
	for _, kv := range response.Kvs {
		kind, key, ok := strings.Cut(strings.TrimPrefix(string(kv.Key), prefix), "/")
		if !ok {
			return 0, fmt.Errorf("malformed key %q", kv.Key)
		}
		if err := f(state.Entry{Kind: resource.Kind(kind), Key: key, Value: kv.Value}); err != nil {
			return 0, err
		}
	}
	return j.revision(ctx)
}

func (j *Journal) revision(ctx context.Context) (uint64, error) {
	response, err := j.client.Get(ctx, revisionKey)
	if err != nil {
		return 0, fmt.Errorf("read revision: %w", err)
	}
	if len(response.Kvs) == 0 {
		return 0, nil
	}
	revision, err := strconv.ParseUint(string(response.Kvs[0].Value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read revision: %w", err)
	}
	return revision, nil
}

// Append implements state.Journal.
func (j *Journal) Append(revision uint64, entries []state.Entry) error {
	if err := j.alarm.error(); err != nil {
		return err
	}
	ops := []clientv3.Op{clientv3.OpPut(revisionKey, strconv.FormatUint(revision, 10))}
	for _, e := range entries {
		key := prefix + string(e.Kind) + "/" + e.Key
		if e.Value == nil {
			ops = append(ops, clientv3.OpDelete(key))
		} else {
			ops = append(ops, clientv3.OpPut(key, string(e.Value)))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	defer cancel()
	defer context.AfterFunc(j.alarm.context, cancel)()
	if _, err := j.client.Txn(ctx).Then(ops...).Commit(); err != nil {
		return cmp.Or(j.alarm.error(), fmt.Errorf("write state: %w", err))
	}
	return nil
}

// Close stops the server.
func (j *Journal) Close() error {
	if j.alarm.context.Err() != nil {
		return nil // parts of it have ended, and what waits for them would wait for ever
	}
	err := j.client.Close()
	if errors.Is(err, context.Canceled) { // how an in-process client says that it was closed
		err = nil
	}
	j.server.Close()
	return err
}
