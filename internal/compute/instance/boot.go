package instance

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/resource"
)

const (
	scriptPath   = "/var/lib/cloud/instance/user-data"
	caBundle     = "/etc/pki/tls/certs/ca-bundle.crt"
	tmpBytes     = 1 << 30
	maxOpenFiles = 4096
	maxProcesses = 1024
	boothook     = "#cloud-boothook"
)

// first is an instance's first program: it starts the owner's script, if there is one to run, and stays. The words
// after its name are the script's interpreter and its arguments.
const first = `mkdir -p /tmp/.home /tmp/.log /tmp/.run
cd "$HOME"
if [ $# -gt 0 ]; then
  ( "$@"; echo "culvert: user data ended with status $?" ) </dev/null &
fi
while :; do sleep 3600 & wait $!; done
`

// command is what an instance runs at this boot.
func command(i *resource.Instance) sandbox.Command {
	argv := []string{"/bin/sh", "-c", first, "init"}
	script, always := userScript(i.UserData)
	if len(script) > 0 && (always || !i.Booted) {
		argv = append(argv, interpreter(script)...)
	}
	return sandbox.Command{Argv: argv, Env: environ(), Dir: "/"}
}

// userScript returns the script in user data, and whether it runs at each boot.
func userScript(data []byte) (script []byte, always bool) {
	line, rest, _ := bytes.Cut(data, []byte("\n"))
	if strings.TrimSpace(string(line)) == boothook {
		return rest, true
	}
	return data, false
}

// interpreter is the command that a script's first line asks for, as the kernel reads it: a program and at most one
// argument.
func interpreter(script []byte) []string {
	line, _, _ := bytes.Cut(script, []byte("\n"))
	program, ok := strings.CutPrefix(string(line), "#!")
	if !ok {
		return []string{"/bin/sh", scriptPath}
	}
	name, argument, _ := strings.Cut(strings.TrimSpace(program), " ")
	if argument = strings.TrimSpace(argument); argument != "" {
		return []string{name, argument, scriptPath}
	}
	return []string{name, scriptPath}
}

// environ is what a script finds. There are no credentials and no Region: an instance asks the metadata service.
func environ() []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/home/ec2-user", "USER=ec2-user", "LOGNAME=ec2-user", "SHELL=/bin/sh",
		"LANG=C.UTF-8", "AWS_CA_BUNDLE=" + caBundle, "REQUESTS_CA_BUNDLE=" + caBundle, "SSL_CERT_FILE=" + caBundle, "NODE_EXTRA_CA_CERTS=" + caBundle,
	}
}

// spec is an instance's sandbox.
func (m *Manager) spec(i *resource.Instance, f Facts) sandbox.Spec {
	script, _ := userScript(i.UserData)
	host := strings.ReplaceAll("ip-"+f.PrivateIP.String(), ".", "-")
	s := sandbox.Spec{
		ID:       "instance-" + string(i.ID),
		Hostname: host + "." + f.Domain,
		Files: map[string]string{
			"/etc/hosts":          fmt.Sprintf("127.0.0.1 localhost localhost.localdomain\n%s %s.%s %s\n", f.PrivateIP, host, f.Domain, host),
			"/etc/nsswitch.conf":  "passwd: files\ngroup: files\nhosts: files dns\n",
			"/etc/resolv.conf":    f.resolvConf(),
			"/etc/system-release": "Amazon Linux release 2023 (Culvert)\n",
			"/etc/passwd":         "root:x:0:0:root:/root:/bin/bash\nec2-user:x:993:990:EC2 Default User:/home/ec2-user:/bin/bash\n",
			"/etc/group":          "root:x:0:\nec2-user:x:990:\n",
		},
		Links: map[string]string{
			"/home/ec2-user": "/tmp/.home", "/var/tmp": "/tmp", "/var/log": "/tmp/.log", "/run": "/tmp/.run", "/var/run": "/tmp/.run",
		},
		Terminals:   true,
		TmpBytes:    tmpBytes,
		MemoryBytes: m.cfg.Memory(i),
		OpenFiles:   maxOpenFiles,
		Processes:   maxProcesses,
	}
	if len(script) > 0 {
		s.Files[scriptPath] = string(script)
	}
	for _, path := range []string{caBundle, "/etc/ssl/certs/ca-certificates.crt"} {
		s.Mounts = append(s.Mounts, sandbox.Mount{Source: m.cfg.CABundle, Target: path})
	}
	return s
}

func (f Facts) resolvConf() string {
	var b strings.Builder
	if f.Domain != "" {
		fmt.Fprintf(&b, "search %s\n", f.Domain)
	}
	fmt.Fprintf(&b, "nameserver %s\noptions timeout:2 attempts:5\n", f.Resolver)
	return b.String()
}
