package policy

import "fmt"

// Error says why a text is no policy. Its message is AWS's for the kind of document; Detail is ours and says where
// it is and what was expected.
type Error struct {
	Kind    Kind
	Message string
	Detail  string
}

func (e *Error) Error() string { return e.Message }

// flaw is what can be wrong with a document.
type flaw uint8

const (
	flawJSON flaw = iota
	flawSyntax
	flawVersion
	flawNoStatement
	flawSid
	flawDuplicateSid
	flawNoEffect
	flawEffect
	flawNoPrincipal
	flawEmptyPrincipal
	flawPrincipal
	flawPrincipalForbidden
	flawNotPrincipal
	flawNoAction
	flawAction
	flawNoResource
	flawResource
	flawResourceForbidden
	flawCondition
)

// message is AWS's text for a flaw. IAM words it differently for identity policies and for trust policies; S3 has
// its own words, which are also used for endpoint policies.
func message(k Kind, f flaw, value string) string {
	switch k {
	case Trust:
		return trustMessage(f, value)
	case Resource, Endpoint, GatewayEndpoint, ResourceControl:
		return resourceMessage(f, value)
	}
	return identityMessage(f, value)
}

func identityMessage(f flaw, value string) string {
	switch f {
	case flawSid:
		return "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	case flawDuplicateSid:
		return "Statement IDs (SID) in a single policy must be unique."
	case flawPrincipalForbidden:
		return "Policy document should not specify a principal."
	case flawNoAction:
		return "Policy statement must contain actions."
	case flawAction:
		return actionMessage(value)
	case flawNoResource:
		return "Policy statement must contain resources."
	case flawResource:
		return resourceARNMessage(value)
	}
	return "Syntax errors in policy."
}

func trustMessage(f flaw, value string) string {
	switch f {
	case flawJSON:
		return "This policy contains invalid Json"
	case flawVersion:
		return "The policy must contain a valid version string"
	case flawNoStatement:
		return "Could not parse the policy: Statement is empty!"
	case flawDuplicateSid:
		return "The Statement Ids in the policy are not unique"
	case flawNoEffect:
		return "Missing required field Effect"
	case flawEffect:
		return "Invalid effect: " + value
	case flawNoPrincipal:
		return "Missing required field Principal"
	case flawPrincipal:
		return "Invalid principal in policy" + value
	case flawEmptyPrincipal:
		return "Missing required field Principal cannot be empty!"
	case flawNotPrincipal:
		if value == string(Allow) {
			return "Allow with NotPrincipal is not allowed."
		}
		return "AssumeRole policy must not contain NotPrincipal field."
	case flawNoAction:
		return "Missing required field Action"
	case flawAction:
		return "AssumeRole policy may only specify STS AssumeRole actions."
	case flawResourceForbidden:
		if value == "NotResource" {
			return "AssumeRole policy must not contain resources."
		}
		return "Has prohibited field Resource"
	}
	return "Syntax error in policy."
}

func resourceMessage(f flaw, value string) string {
	switch f {
	case flawJSON:
		return "Policies must be valid JSON and the first byte must be '{'"
	case flawVersion:
		return "The policy must contain a valid version string"
	case flawNoStatement:
		return "Missing required field Statement"
	case flawDuplicateSid:
		return "Statement IDs (SID) in a single policy must be unique."
	case flawNoEffect:
		return "Missing required field Effect"
	case flawEffect:
		return "Invalid effect: " + value
	case flawNoPrincipal:
		return "Missing required field Principal"
	case flawPrincipal, flawEmptyPrincipal:
		return "Invalid principal in policy"
	case flawNoAction:
		return "Missing required field Action"
	case flawAction:
		return "Policy has invalid action"
	case flawNoResource:
		return "Missing required field Resource"
	case flawResource:
		return "Policy has invalid resource"
	case flawCondition:
		return "Invalid Condition type : " + value
	}
	return "Policy has invalid syntax"
}

func actionMessage(action string) string {
	if vendor, ok := vendorOf(action); ok {
		return fmt.Sprintf("Vendor %s is not valid", vendor)
	}
	return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
}
