package ec2

import (
	"bytes"
	"encoding/json"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// maxPolicy is AWS's limit of characters of an endpoint policy.
const maxPolicy = 20480

// defaultPolicy is the policy of an endpoint that was given none: everything is allowed. AWS writes it
// differently for each type.
func defaultPolicy(endpointType string) string {
	if endpointType == resource.EndpointTypeGateway {
		return `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
	}
	return "{\n  \"Statement\": [\n    {\n      \"Action\": \"*\", \n      \"Effect\": \"Allow\", \n      \"Principal\": \"*\", \n      \"Resource\": \"*\"\n    }\n  ]\n}"
}

// checkPolicy refuses what is no policy. What its statements mean is decided for each call, in api/policy; what
// that does not understand denies.
func checkPolicy(text string) error {
	if len(text) > maxPolicy {
		return api.Errorf("InvalidPolicyDocument", "The policy document exceeds the maximum of %d characters", maxPolicy)
	}
	var document struct {
		Version   string
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return invalidPolicy("it is not a JSON object")
	}
	switch document.Version {
	case "", "2008-10-17", "2012-10-17":
	default:
		return invalidPolicy("its Version is not known")
	}
	statements := document.Statement
	if !bytes.HasPrefix(bytes.TrimSpace(statements), []byte("[")) {
		statements = append(append([]byte("["), statements...), ']') // one statement may stand alone
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(statements, &list); err != nil || len(list) == 0 {
		return invalidPolicy("it has no statements")
	}
	for _, s := range list {
		if err := checkStatement(s); err != nil {
			return err
		}
	}
	return nil
}

func checkStatement(s map[string]json.RawMessage) error {
	switch string(s["Effect"]) {
	case `"Allow"`, `"Deny"`:
	default:
		return invalidPolicy("a statement's Effect is neither Allow nor Deny")
	}
	for _, pair := range [][2]string{{"Principal", "NotPrincipal"}, {"Action", "NotAction"}, {"Resource", "NotResource"}} {
		if (s[pair[0]] == nil) == (s[pair[1]] == nil) {
			return invalidPolicy("a statement needs one of " + pair[0] + " and " + pair[1])
		}
	}
	return nil
}

func invalidPolicy(why string) error {
	return api.Errorf("InvalidPolicyDocument", "The policy document is not valid: %s", why)
}
