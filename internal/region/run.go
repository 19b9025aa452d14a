package region

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/compute/workload"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
	"github.com/culvert-cloud/culvert/internal/view/inspect"
)

// runRequester marks the interfaces of culvert run. None outlives its command, nor the region it was started in.
const runRequester = "culvert-run"

// runKey is the file with the key that callers of culvert run must show: who can read it could read the rest too.
const runKey = "run-key"

func (r *Region) openRun() error {
	key, err := r.directory.key(runKey)
	if err != nil {
		return err
	}
	r.runKey = []byte(hex.EncodeToString(key))
	return nil
}

// forgetRuns removes the interfaces that commands of a region that was killed have left.
func forgetRuns(tx *state.Tx) error {
	for _, eni := range state.Select(tx, func(n *resource.NetworkInterface) bool { return n.RequesterID == runRequester }) {
		vpcnet.DeleteInterface(tx, eni.ID)
	}
	return nil
}

// job is one command on its interface.
type job struct {
	r       *Region
	eni     *resource.NetworkInterface
	command workload.Command
	window  *inspect.Window // nil: the command has no terminal
}

// prepareRun makes the interface of a command and finds all that it needs.
func (r *Region) prepareRun(ctx context.Context, q inspect.RunRequest) (inspect.Job, error) {
	if err := takeWindow(&q); err != nil {
		return nil, err
	}
	if len(q.Argv) == 0 {
		return nil, errors.New("say what to run")
	}
	view := r.store.View()
	if q.Instance != "" {
		return r.visit(view, q)
	}
	if err := r.takeFunction(view, &q); err != nil {
		return nil, err
	}
	j := &job{r: r, window: q.Terminal}
	if err := j.describe(q); err != nil {
		return nil, err
	}
	if err := j.credentials(view, q.Role); err != nil {
		return nil, err
	}
	return j, j.connect(ctx, q)
}

// takeFunction fills in where and as whom a function runs.
func (r *Region) takeFunction(view state.Reader, q *inspect.RunRequest) error {
	if q.Function == "" {
		return nil
	}
	f, ok := state.Get[*resource.Function](view, q.Function)
	if !ok {
		return fmt.Errorf("there is no function %q", q.Function)
	}
	if f.VPCConfig == nil || len(f.VPCConfig.SubnetIDs) == 0 {
		return fmt.Errorf("the function %s is not in a VPC", q.Function)
	}
	if q.Subnet == "" {
		q.Subnet = string(f.VPCConfig.SubnetIDs[0])
	}
	if len(q.Groups) == 0 {
		for _, g := range f.VPCConfig.GroupIDs {
			q.Groups = append(q.Groups, string(g))
		}
	}
	if q.Role == "" {
		q.Role = f.Role
	}
	return nil
}

// systemPath is where programs are that every command sees.
var systemPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// describe says what to run, and what it sees.
func (j *job) describe(q inspect.RunRequest) error {
	c := &j.command
	for _, dir := range append([]string{q.Dir}, q.Mounts...) {
		if !filepath.IsAbs(dir) || filepath.Clean(dir) != dir {
			return fmt.Errorf("%q is not the full path of a directory", dir)
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return fmt.Errorf("%s is not a directory that the region can see", dir)
		}
		if dir != "/" && !isSystem(dir) && !slices.Contains(c.Shown, dir) {
			c.Shown = append(c.Shown, dir)
		}
	}
	c.Dir = q.Dir
	path := slices.DeleteFunc(filepath.SplitList(q.Path), func(dir string) bool { return !j.sees(dir) })
	for _, dir := range systemPath {
		if !slices.Contains(path, dir) {
			path = append(path, dir)
		}
	}
	program, err := j.find(q, path)
	if err != nil {
		return err
	}
	c.Argv = append([]string{program}, q.Argv[1:]...)
	region := j.r.store.View().Region()
	c.Env = append(workload.Environ(), "PATH="+strings.Join(path, ":"), "LANG=C.UTF-8", "AWS_REGION="+region, "AWS_DEFAULT_REGION="+region)
	for _, e := range q.Env {
		if name, _, ok := strings.Cut(e, "="); !ok || name == "" || strings.ContainsRune(e, 0) {
			return fmt.Errorf("%q is not NAME=VALUE", e)
		}
		c.Env = append(c.Env, e)
	}
	if q.Terminal != nil {
		c.Env = append(prompt(q.Argv), c.Env...)
	}
	return nil
}

// isSystem reports whether a path is among those that every command sees.
func isSystem(path string) bool {
	for _, dir := range []string{"/usr", "/bin", "/sbin", "/lib", "/lib64"} {
		if path == dir || strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}

// sees reports whether the command sees a path.
func (j *job) sees(path string) bool {
	return isSystem(path) || slices.ContainsFunc(j.command.Shown, func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") })
}

// find finds the program, which must be one that the command sees.
func (j *job) find(q inspect.RunRequest, path []string) (string, error) {
	name := q.Argv[0]
	var candidates []string
	switch {
	case filepath.IsAbs(name):
		candidates = []string{filepath.Clean(name)}
	case strings.Contains(name, "/"):
		candidates = []string{filepath.Join(q.Dir, name)}
	default:
		for _, dir := range path {
			candidates = append(candidates, filepath.Join(dir, name))
		}
	}
	for _, file := range candidates {
		if info, err := os.Stat(file); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 && j.sees(file) {
			return file, nil
		}
	}
	if q.Found != "" {
		return "", fmt.Errorf("%s is %s, which the command would not see: show the directory that it needs with --mount", name, q.Found)
	}
	return "", fmt.Errorf("there is no program %q", name)
}

// credentials lets the command act as a role.
func (j *job) credentials(view state.Reader, name string) error {
	if name == "" {
		return nil
	}
	role, ok := state.Get[*resource.Role](view, name)
	if !ok {
		role, ok = roleByARN(view, name)
	}
	if !ok {
		return fmt.Errorf("there is no role %q", name)
	}
	c, err := j.r.vault.Mint(role, runRequester, sessionLife, "")
	if err != nil {
		return err
	}
	j.command.Env = append(j.command.Env, "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey, "AWS_SESSION_TOKEN="+c.SessionToken)
	return nil
}

// connect makes the command's interface.
func (j *job) connect(ctx context.Context, q inspect.RunRequest) error {
	if q.Subnet == "" {
		return errors.New("say where to run it: --subnet, or --function to run it where a function runs")
	}
	var groups []resource.SecurityGroupID
	for _, g := range q.Groups {
		groups = append(groups, resource.SecurityGroupID(g))
	}
	revision, err := j.r.store.Update(func(tx *state.Tx) error {
		subnet, err := vpcnet.FindSubnet(tx, q.Subnet)
		if err != nil {
			return err
		}
		if _, err := vpcnet.FindGroups(tx, subnet.VPCID, q.Groups); err != nil {
			return err
		}
		j.eni, err = vpcnet.CreateInterface(tx, vpcnet.InterfaceSpec{
			SubnetID: subnet.ID, Type: resource.InterfaceTypeInterface, GroupIDs: groups, Description: "culvert run " + filepath.Base(q.Argv[0]),
			RequesterManaged: true, RequesterID: runRequester, ServiceAttached: true,
		})
		return err
	})
	if err != nil {
		return err
	}
	settled, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	if err := j.r.settle(settled, revision); err != nil {
		j.Close()
		return fmt.Errorf("make the interface of the command: %w", err)
	}
	return j.place()
}

// place fills in what depends on the interface.
func (j *job) place() error {
	c := &j.command
	vpc := j.r.topology.Load().VPC(j.eni.VPCID)
	if vpc == nil {
		j.Close()
		return fmt.Errorf("the VPC %s is gone", j.eni.VPCID)
	}
	c.ENI, c.Address, c.Name = j.eni.ID, j.eni.PrimaryIP(), string(j.eni.ID)
	c.Resolver, c.Search = vpc.Resolver, vpc.SearchDomain
	c.Hostname = "ip-" + strings.ReplaceAll(c.Address.String(), ".", "-")
	c.CABundle = j.r.bundle
	return nil
}

// Run runs the command.
func (j *job) Run(ctx context.Context, t inspect.Talk) (inspect.RunEnd, error) {
	c := j.command
	c.Stdin, c.Stdout, c.Stderr, c.Abandoned = t.Stdin, t.Stdout, t.Stderr, t.Abandoned
	if j.window != nil {
		seat := seatOf(j.window, t)
		c.Seat = &seat
	}
	x, err := workload.Run(ctx, j.r.network, j.r.sandboxes, c)
	if err != nil {
		return inspect.RunEnd{}, err
	}
	return endOf(x), x.Err
}

// Close removes the command's interface.
func (j *job) Close() {
	if _, err := j.r.store.Update(func(tx *state.Tx) error { vpcnet.DeleteInterface(tx, j.eni.ID); return nil }); err != nil {
		j.r.config.Log.Error("the interface of a command is not removed", "interface", j.eni.ID, "error", err)
	}
}
