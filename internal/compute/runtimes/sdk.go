package runtimes

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
)

// sdkPackages is boto3 and what it needs; the first six always. Distributions take other libraries out of
// botocore, and need them beside it.
var (
	sdkPackages      = []string{"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py"}
	sdkDistroPackage = []string{"requests", "certifi", "idna", "chardet", "charset_normalizer"}
)

// sdk is an installed AWS SDK for Python. It is pure Python, so any interpreter new enough can use any
// installation of it.
type sdk struct {
	dir      string // of packages
	release  []int  // of boto3
	requires version
	owner    version // the interpreter it was installed for; zero: none in particular
	distro   bool
}

// findSDKs looks where the interpreters look for packages.
func findSDKs(pythons []interpreter) []sdk {
	var found []sdk
	look := func(dir string, owner version) {
		if s, ok := sdkAt(dir); ok {
			s.owner = owner
			found = append(found, s)
		}
	}
	for _, p := range pythons {
		lib := filepath.Join(filepath.Dir(filepath.Dir(p.path)), "lib", "python"+p.version.String())
		look(filepath.Join(lib, "site-packages"), p.version)
		look(filepath.Join(lib, "dist-packages"), p.version)
		if p.path == systemPython(p.version) {
			look("/usr/lib/python3/dist-packages", p.version)
		}
	}
	return found
}

// systemPython is where a distribution has its interpreter, which shares packages with those before and after.
func systemPython(v version) string { return "/usr/bin/python" + v.String() }

func sdkAt(dir string) (sdk, bool) {
	for _, p := range sdkPackages[:6] {
		if _, err := os.Stat(filepath.Join(dir, p)); err != nil {
			return sdk{}, false
		}
	}
	s := sdk{dir: dir, distro: strings.HasSuffix(dir, "dist-packages"), requires: oldestPython}
	for _, p := range []string{"boto3", "botocore"} {
		release, requires, ok := metadata(dir, p)
		if !ok {
			return sdk{}, false
		}
		if p == "boto3" {
			s.release = release
		}
		if s.requires.less(requires) {
			s.requires = requires
		}
	}
	return s, true
}

// metadata reads what an installed package says of itself.
func metadata(dir, name string) (release []int, requires version, ok bool) {
	var files []string
	for _, pattern := range []string{"-*.dist-info/METADATA", "-*.egg-info/PKG-INFO", "-*.egg-info"} {
		found, _ := filepath.Glob(filepath.Join(dir, name+pattern))
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, version{}, false
	}
	f, err := os.Open(files[0])
	if err != nil {
		return nil, version{}, false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() && lines.Text() != "" {
		key, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Version":
			release = numbers(value)
		case "Requires-Python":
			for _, part := range strings.Split(value, ",") {
				if least, found := strings.CutPrefix(strings.TrimSpace(part), ">="); found {
					requires, _ = parseVersion(strings.TrimSpace(least))
				}
			}
		}
	}
	return release, requires, len(release) > 0
}

func numbers(s string) []int {
	var out []int
	for _, p := range strings.Split(s, ".") {
		n, err := strconv.Atoi(p)
		if err != nil {
			break
		}
		out = append(out, n)
	}
	return out
}

// newestSDK is the newest that an interpreter supports.
func newestSDK(sdks []sdk, v version) *sdk {
	var best *sdk
	for i := range sdks {
		if !v.less(sdks[i].requires) && (best == nil || slices.Compare(sdks[i].release, best.release) > 0) {
			best = &sdks[i]
		}
	}
	return best
}

// mounts shows the SDK, and nothing else of where it is installed, with the region's CA bundle as its own.
func (s *sdk) mounts(bundle string) []sandbox.Mount {
	var out []sandbox.Mount
	packages := sdkPackages
	if s.distro {
		packages = append(slices.Clone(packages), sdkDistroPackage...)
	}
	for _, p := range packages {
		source := filepath.Join(s.dir, p)
		if _, err := os.Stat(source); err != nil {
			continue
		}
		target := filepath.Join(sdkDir, p)
		out = append(out, sandbox.Mount{Source: source, Target: target})
		if info, err := os.Lstat(filepath.Join(source, "cacert.pem")); err == nil && info.Mode().IsRegular() && bundle != "" {
			out = append(out, sandbox.Mount{Source: bundle, Target: filepath.Join(target, "cacert.pem")})
		}
	}
	return out
}
