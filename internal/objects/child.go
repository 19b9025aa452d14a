package objects

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
)

// childName is the name (argv[0]) under which this program is the engine.
const childName = "culvert-objects"

// The descriptors that the child inherits.
const (
	runFD   = 3 // the directory of the socket
	readyFD = 4 // a byte goes here when it listens
)

// socket is the path of the socket, of any length on disk: the kernel takes at most 107 bytes, and a path
// through an open directory is always short.
func socket(dir uintptr) string { return fmt.Sprintf("/proc/self/fd/%d/objects.sock", dir) }

// childConfig is what the child is told, on its standard input.
type childConfig struct {
	Objects, Versions, Sidecar string
	Region                     string
	Access, Secret             string
}

// IsChild reports whether this process is the engine. A main or TestMain asks before anything else.
func IsChild() bool { return len(os.Args) > 0 && os.Args[0] == childName }

// ChildMain is the engine's main. It never returns.
func ChildMain() {
	step := confine
	if len(os.Args) == 2 && os.Args[1] == confined {
		step = serve
	}
	if err := step(); err != nil {
		fmt.Fprintln(os.Stderr, "object store:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve() error {
	stdin := bufio.NewReader(os.Stdin)
	line, err := stdin.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	var c childConfig
	if err := json.Unmarshal(line, &c); err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if err := fence(c.Objects, c.Versions, c.Sidecar, fmt.Sprintf("/proc/self/fd/%d", runFD)); err != nil {
		return err
	}
	server, err := newServer(c)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeMultiPort([]string{socket(runFD)}) }()
	stop := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, stdin)
		stop <- err
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-stop:
		return server.ShutDown()
	}
}

func newServer(c childConfig) (*s3api.S3ApiServer, error) {
	store, err := newStore(c)
	if err != nil {
		return nil, err
	}
	root := auth.Account{Access: c.Access, Secret: c.Secret, Role: auth.RoleAdmin}
	return s3api.New(store, middlewares.RootUserConfig{Access: c.Access, Secret: c.Secret}, c.Region,
		auth.NewIAMServiceSingle(root), nil, nil, nil, nil,
		s3api.WithQuiet(),
		s3api.WithKeepAlive(),
		s3api.WithConcurrencyLimiter(maxConnections, maxConnections),
		s3api.WithSocketPerm(0o600),
		s3api.WithOnListen(announceReady),
	)
}

// maxConnections bounds what the front may have open; more wait there.
const maxConnections = 4096

// copyLimit is S3's limit for CopyObject.
const copyLimit = 5 << 30

func newStore(c childConfig) (*store, error) {
	options := posix.PosixOpts{VersioningDir: c.Versions, CopyObjectThreshold: copyLimit}
	options.SetNewDirPerm(0o700)
	options.SetNewFilePerm(0o600)
	var metadata meta.MetadataStorer = meta.XattrMeta{}
	if err := (meta.XattrMeta{}).Test(c.Objects); err != nil {
		fmt.Println("no extended attributes, metadata goes to files:", err)
		sidecar, err := meta.NewSideCar(c.Sidecar)
		if err != nil {
			return nil, fmt.Errorf("open metadata directory: %w", err)
		}
		metadata, options.SideCarDir = sidecar, c.Sidecar
	}
	files, err := posix.New(c.Objects, metadata, options)
	if err != nil {
		return nil, fmt.Errorf("open object directory: %w", err)
	}
	return &store{files, newStrides()}, nil
}

func announceReady() {
	f := os.NewFile(readyFD, "ready")
	_, _ = f.Write([]byte{1}) // if nobody reads it any more, standard input is about to end
	_ = f.Close()
}
