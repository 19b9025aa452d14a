package lambda

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// latest is the version that changes.
const latest = "$LATEST"

// functionName is what a caller calls a function, taken apart. Region and account are empty where the caller
// left them out.
type functionName struct {
	Region, Account, Name, Qualifier string
}

const functionNamePattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`

const maxFunctionName = 64

// parseFunctionName reads the forms that AWS takes: a name, a partial ARN (123456789012:function:name), an ARN;
// each with a qualifier or without.
func parseFunctionName(text string) (functionName, error) {
	if isPlainName(text) {
		return functionName{Name: text}, nil
	}
	m := regexp.MustCompile(`^` + functionNamePattern + `$`).FindStringSubmatch(text)
	arnParts := m != nil && m[1] != "" && (m[3] == "" || m[5] == "" || m[6] == "")
	if m == nil || arnParts || m[3] != "" && m[1] == "" {
		return functionName{}, constraint(text, "functionName", "Member must satisfy regular expression pattern: "+functionNamePattern)
	}
	n := functionName{
		Region: strings.TrimSuffix(m[3], ":"), Account: strings.TrimSuffix(m[5], ":"), Name: m[7], Qualifier: m[9],
	}
	if len(n.Name) > maxFunctionName {
		return functionName{}, constraint(text, "functionName", fmt.Sprintf("Member must have length less than or equal to %d", maxFunctionName))
	}
	return n, nil
}

// isPlainName spares the pattern the names of nearly every invocation.
func isPlainName(text string) bool {
	other := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}
	return text != "" && len(text) <= maxFunctionName && !strings.ContainsFunc(text, other)
}

// resolveName reads a function's name and the qualifier that came beside it, and makes sure that they belong here.
func resolveName(r state.Reader, text string, qualifier *string) (functionName, error) {
	n, err := parseFunctionName(text)
	if err != nil {
		return n, err
	}
	if qualifier != nil {
		if n.Qualifier != "" && n.Qualifier != *qualifier {
			return n, invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		n.Qualifier = *qualifier
	}
	if n.Region != "" && n.Region != r.Region() {
		return n, notFound("Functions from '%s' are not reachable in this region ('%s')", n.Region, r.Region())
	}
	if n.Account != "" && n.Account != r.Account() {
		return n, api.Errorf("AccessDeniedException",
			"Functions of the account %s are not reachable from the account %s.", n.Account, r.Account()).WithStatus(http.StatusForbidden)
	}
	return n, nil
}

// findFunction finds the function that a caller names: $LATEST, a published version, or the version that an alias
// points to first.
func findFunction(r state.Reader, text, qualifier *string) (*resource.Function, functionName, error) {
	n, err := resolveName(r, value(text), qualifier)
	if err != nil {
		return nil, n, err
	}
	f, err := n.find(r, func(a *resource.FunctionAlias) string { return a.Version })
	return f, n, err
}

// find finds the function that is named; through says which version an alias means.
func (n functionName) find(r state.Reader, through func(*resource.FunctionAlias) string) (*resource.Function, error) {
	f, ok := state.Get[*resource.Function](r, n.Name)
	if !ok {
		return nil, notFound("Function not found: %s", n.arn(r))
	}
	version := n.Qualifier
	if version != "" && version != latest && !digits.MatchString(version) {
		a, ok := findAlias(r, n.Name, version)
		if !ok {
			return nil, noAlias(f.ARN, version)
		}
		version = through(a)
	}
	if version == "" || version == latest {
		return f, nil
	}
	v, ok := findVersion(r, n.Name, version)
	if !ok {
		return nil, notFound("Function not found: %s:%s", f.ARN, version)
	}
	published := v.Function
	published.ReservedConcurrency = f.ReservedConcurrency // it bounds all versions together
	return &published, nil
}

// arn is the ARN of what was named, with the qualifier if there was one.
func (n functionName) arn(r state.Reader) string {
	arn := functionARN(r, n.Name)
	if n.Qualifier != "" {
		arn += ":" + n.Qualifier
	}
	return arn
}

func functionARN(r state.Reader, name string) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", r.Region(), r.Account(), name)
}

// declaredARN is the resource of a call on a function, for authorization. It comes before any other check, so
// what cannot be read is passed on as it is.
func declaredARN(r state.Reader, text, qualifier *string) string {
	n, err := parseFunctionName(value(text))
	if err != nil {
		return functionARN(r, value(text))
	}
	if qualifier != nil {
		n.Qualifier = *qualifier
	}
	region, account := r.Region(), r.Account()
	if n.Region != "" {
		region = n.Region
	}
	if n.Account != "" {
		account = n.Account
	}
	arn := fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", region, account, n.Name)
	if n.Qualifier != "" {
		arn += ":" + n.Qualifier
	}
	return arn
}

func notFound(format string, args ...any) error {
	return api.Errorf("ResourceNotFoundException", format, args...).WithStatus(http.StatusNotFound)
}

func invalid(format string, args ...any) error {
	return api.Errorf("InvalidParameterValueException", format, args...)
}

func unsupported(what string) error { return invalid("Culvert does not support %s.", what) }

// constraint is the error of AWS's front end for a member that breaks its model.
func constraint(v, member, text string) error {
	return api.Errorf("ValidationException", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", v, member, text)
}

// value is what an optional member holds, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func ptr[T any](v T) *T { return &v }
