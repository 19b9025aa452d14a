package execution

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/compute/runtimes"
	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

const (
	wrapperKey = "AWS_LAMBDA_EXEC_WRAPPER"
	caBundle   = "/etc/pki/tls/certs/ca-bundle.crt"
)

// environ is the runtime's environment. Of the settings Lambda makes, the reserved ones win over the
// function's own, and the others do not.
func environ(e *environment, c Credentials) []string {
	f := e.function
	all := map[string]string{
		"LANG":                     "en_US.UTF-8",
		"PATH":                     "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH":          "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":  "169.254.100.1:2000",
		"AWS_CA_BUNDLE":            caBundle,
	}
	for _, more := range []map[string]string{e.plan.Defaults, f.Environment, reserved(e, c)} {
		for k, v := range more {
			all[k] = v
		}
	}
	if !strings.HasPrefix(f.Runtime, "provided") {
		all["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + f.Runtime
		all["PWD"] = runtimes.TaskRoot
		all["SHLVL"] = "0"
	}
	out := make([]string, 0, len(all))
	for k, v := range all {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}

// reserved are the variables that a function cannot set.
func reserved(e *environment, c Credentials) map[string]string {
	f := e.function
	r := map[string]string{
		"_HANDLER":                        f.Handler,
		"AWS_REGION":                      e.cfg.Region,
		"AWS_DEFAULT_REGION":              e.cfg.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     versionOf(f),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemorySize),
		"AWS_LAMBDA_LOG_GROUP_NAME":       e.stream.group,
		"AWS_LAMBDA_LOG_STREAM_NAME":      e.stream.name,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  e.reason,
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPIAddress,
		"AWS_ACCESS_KEY_ID":               c.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           c.SecretAccessKey,
		"AWS_SESSION_TOKEN":               c.SessionToken,
		"LAMBDA_TASK_ROOT":                runtimes.TaskRoot,
		"LAMBDA_RUNTIME_DIR":              runtimes.RuntimeDir,
		"_AWS_XRAY_DAEMON_ADDRESS":        "169.254.100.1",
		"_AWS_XRAY_DAEMON_PORT":           "2000",
		"TZ":                              ":UTC",
	}
	if e.inJSON() {
		r["AWS_LAMBDA_LOG_FORMAT"], r["AWS_LAMBDA_LOG_LEVEL"] = jsonFormat, f.ApplicationLogLevel
	}
	if e.plan.Framed {
		r["_LAMBDA_TELEMETRY_LOG_FD"] = "3"
	}
	return r
}

// command is the runtime's.
func (e *environment) command() sandbox.Command {
	argv := e.plan.Argv
	if w := e.function.Environment[wrapperKey]; w != "" && e.plan.Framed {
		argv = append([]string{w}, argv...)
	}
	return sandbox.Command{Argv: argv, Env: e.environ, Dir: runtimes.TaskRoot}
}

// spec is the sandbox's.
func (e *environment) spec() sandbox.Spec {
	f := e.function
	tmp := f.EphemeralStorageSize
	if tmp == 0 {
		tmp = defaultTmpMB
	}
	s := sandbox.Spec{
		ID:       "environment-" + e.id,
		Hostname: "169-254-76-1",
		Mounts:   slices.Clone(e.plan.Mounts),
		Files: map[string]string{
			"/etc/hosts":          "127.0.0.1 localhost localhost.localdomain\n",
			"/etc/nsswitch.conf":  "passwd: files\ngroup: files\nhosts: files dns\n",
			"/etc/resolv.conf":    e.resolvConf(),
			"/etc/system-release": "Amazon Linux release 2023 (Culvert)\n",
		},
		TmpBytes:    int64(tmp) << 20,
		MemoryBytes: int64(f.MemorySize) << 20,
		OpenFiles:   maxOpenFiles,
		Processes:   maxProcesses,
	}
	for _, path := range []string{caBundle, "/etc/ssl/certs/ca-certificates.crt"} {
		s.Mounts = append(s.Mounts, sandbox.Mount{Source: e.cfg.CABundle, Target: path})
	}
	return s
}

func (e *environment) resolvConf() string {
	servers, search := e.cfg.Resolver(e.function)
	var b strings.Builder
	if search != "" {
		fmt.Fprintf(&b, "search %s\n", search)
	}
	for _, s := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	b.WriteString("options timeout:2 attempts:5\n")
	return b.String()
}
