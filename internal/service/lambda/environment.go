package lambda

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

const maxEnvironment = 4096

// reservedVariables are those that the execution environment sets; see "Defined runtime environment variables".
func reservedVariables() []string {
	return []string{
		"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
		"AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
	}
}

const variablePattern = `[a-zA-Z]([a-zA-Z0-9_])+`

func checkEnvironment(variables map[string]string) error {
	names := slices.Sorted(maps.Keys(variables))
	pattern := regexp.MustCompile(`^` + variablePattern + `$`)
	var reserved []string
	for _, name := range names {
		if slices.Contains(reservedVariables(), name) {
			reserved = append(reserved, name)
		} else if !pattern.MatchString(name) {
			// The values may be secrets, so unlike AWS the text shows the name only.
			return constraint(name, "environment.variables",
				"Map keys must satisfy constraint: [Member must satisfy regular expression pattern: "+variablePattern+"]")
		}
		if strings.Contains(variables[name], "\x00") {
			return invalid("The value of the environment variable %s contains a null character.", name)
		}
	}
	if len(reserved) > 0 {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have "+
			"provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s",
			strings.Join(reserved, ", "))
	}
	if measured := measure(variables); len(measured) > maxEnvironment {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have "+
			"provided exceeded the 4KB limit. String measured: %s", measured)
	}
	return nil
}

// measure is the text whose length AWS limits.
func measure(variables map[string]string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(variables) // a map of texts always encodes
	return strings.TrimSuffix(b.String(), "\n")
}
