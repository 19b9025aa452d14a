package policy

import "fmt"

// DeniedText is AWS's message for a denied call. S3 quotes the resource. Who was never authenticated, and who is
// of another account, is not told why.
func DeniedText(callerARN, action, resource string, quoteResource bool, d Decision) string {
	if callerARN == "" {
		return "Access Denied"
	}
	if quoteResource {
		if d.CrossAccount {
			return "Access Denied"
		}
		resource = `"` + resource + `"`
	}
	text := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", callerARN, action, resource)
	if d.CrossAccount {
		return text
	}
	return text + " " + reason(action, d)
}

func reason(action string, d Decision) string {
	name := d.Kind
	if d.Kind != string(Boundary) {
		name += " policy"
	}
	if d.Explicit {
		article := "a"
		if d.Kind == string(Identity) {
			article = "an"
		}
		return fmt.Sprintf("with an explicit deny in %s %s", article, name)
	}
	return fmt.Sprintf("because no %s allows the %s action", name, action)
}
