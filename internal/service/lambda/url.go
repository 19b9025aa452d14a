package lambda

import (
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// urlOf names the address that leads to an id.
func urlHost(region, id string) string { return id + ".lambda-url." + region + ".on.aws" }

// urlsByID finds a function's URL by the first label of its name.
var urlsByID = state.Index[*resource.FunctionURL]{Name: "id", Of: func(u *resource.FunctionURL) []string { return []string{u.ID} }}

func (s *Service) createURL(tx *state.Tx, _ *api.Call, in *CreateFunctionUrlConfigInput) (*CreateFunctionUrlConfigOutput, error) {
	f, n, err := findForURL(tx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	u := &resource.FunctionURL{
		ID: urlID(tx), Function: f.Name, Qualifier: n.Qualifier, AuthType: value(in.AuthType), InvokeMode: "BUFFERED",
		CreationTime: tx.Now(), LastModified: tx.Now(),
	}
	if _, ok := state.Get[*resource.FunctionURL](tx, u.Key()); ok {
		return nil, conflict("Failed to create function url config for [functionArn = %s]. Error message:  FunctionUrlConfig exists for this Lambda function", n.arn(tx))
	}
	set(&u.InvokeMode, in.InvokeMode)
	if u.CORS, err = corsOf(in.Cors); err != nil {
		return nil, err
	}
	tx.Put(u)
	c := urlConfiguration(tx, u)
	return &CreateFunctionUrlConfigOutput{
		AuthType: c.AuthType, Cors: c.Cors, CreationTime: c.CreationTime, FunctionArn: c.FunctionArn, FunctionUrl: c.FunctionUrl, InvokeMode: c.InvokeMode,
	}, nil
}

// urlID makes 32 characters of lower-case letters and digits.
func urlID(tx *state.Tx) string { return tx.RandomHex(32) }

// findForURL finds what a URL may lead to: a function or an alias, not a version.
func findForURL(r state.Reader, name, qualifier *string) (*resource.Function, functionName, error) {
	f, n, err := findFunction(r, name, qualifier)
	if err != nil {
		return nil, n, err
	}
	if n.Qualifier == latest || digits.MatchString(n.Qualifier) {
		return nil, n, constraint(n.Qualifier, "qualifier", `Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)`)
	}
	return f, n, nil
}

func findURL(r state.Reader, name, qualifier *string) (*resource.FunctionURL, error) {
	f, n, err := findForURL(r, name, qualifier)
	if err != nil {
		return nil, err
	}
	u, ok := state.Get[*resource.FunctionURL](r, resource.FunctionPart(f.Name, n.Qualifier))
	if !ok {
		return nil, notFound("The resource you requested does not exist.")
	}
	return u, nil
}

func (s *Service) getURL(v *state.View, _ *api.Call, in *GetFunctionUrlConfigInput) (*GetFunctionUrlConfigOutput, error) {
	u, err := findURL(v, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	c := GetFunctionUrlConfigOutput(*urlConfiguration(v, u))
	return &c, nil
}

func (s *Service) updateURL(tx *state.Tx, _ *api.Call, in *UpdateFunctionUrlConfigInput) (*UpdateFunctionUrlConfigOutput, error) {
	u, err := findURL(tx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	changed := *u
	set(&changed.AuthType, in.AuthType)
	set(&changed.InvokeMode, in.InvokeMode)
	if in.Cors != nil {
		if changed.CORS, err = corsOf(in.Cors); err != nil {
			return nil, err
		}
	}
	changed.LastModified = tx.Now()
	tx.Put(&changed)
	c := UpdateFunctionUrlConfigOutput(*urlConfiguration(tx, &changed))
	return &c, nil
}

func (s *Service) deleteURL(tx *state.Tx, _ *api.Call, in *DeleteFunctionUrlConfigInput) (*DeleteFunctionUrlConfigOutput, error) {
	u, err := findURL(tx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	tx.Delete(u)
	return &DeleteFunctionUrlConfigOutput{}, nil
}

func (s *Service) listURLs(v *state.View, _ *api.Call, in *ListFunctionUrlConfigsInput) (*ListFunctionUrlConfigsOutput, error) {
	f, _, err := findUnqualified(v, in.FunctionName)
	if err != nil {
		return nil, err
	}
	all := state.Select(v, func(u *resource.FunctionURL) bool { return u.Function == f.Name })
	page, next, err := pageOf(all, in.Marker, in.MaxItems, maxListed)
	if err != nil {
		return nil, err
	}
	out := &ListFunctionUrlConfigsOutput{FunctionUrlConfigs: []FunctionUrlConfig{}, NextMarker: next}
	for _, u := range page {
		out.FunctionUrlConfigs = append(out.FunctionUrlConfigs, *urlConfiguration(v, u))
	}
	return out, nil
}

func urlConfiguration(r state.Reader, u *resource.FunctionURL) *FunctionUrlConfig {
	n := functionName{Name: u.Function, Qualifier: u.Qualifier}
	const layout = "2006-01-02T15:04:05.000000Z"
	out := &FunctionUrlConfig{
		AuthType: &u.AuthType, InvokeMode: &u.InvokeMode, FunctionArn: ptr(n.arn(r)), FunctionUrl: ptr("https://" + urlHost(r.Region(), u.ID) + "/"),
		CreationTime: ptr(u.CreationTime.UTC().Format(layout)), LastModifiedTime: ptr(u.LastModified.UTC().Format(layout)),
	}
	if c := u.CORS; c != nil {
		out.Cors = &Cors{AllowHeaders: c.AllowHeaders, AllowMethods: c.AllowMethods, AllowOrigins: c.AllowOrigins, ExposeHeaders: c.ExposeHeaders}
		if c.AllowCredentials {
			out.Cors.AllowCredentials = &c.AllowCredentials
		}
		if c.MaxAge > 0 {
			out.Cors.MaxAge = ptr(int64(c.MaxAge))
		}
	}
	return out
}

// corsOf reads what pages of other sites may do; an empty structure takes it away.
func corsOf(c *Cors) (*resource.FunctionURLCORS, error) {
	if c == nil || !value(c.AllowCredentials) && value(c.MaxAge) == 0 && len(c.AllowHeaders)+len(c.AllowMethods)+len(c.AllowOrigins)+len(c.ExposeHeaders) == 0 {
		return nil, nil
	}
	for _, m := range c.AllowMethods {
		if !slices.Contains([]string{"GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"}, m) {
			return nil, constraint("["+strings.Join(c.AllowMethods, ", ")+"]", "cors.allowMethods",
				"Member must satisfy constraint: [Member must satisfy enum value set: [GET, PUT, HEAD, POST, PATCH, DELETE, *]]")
		}
	}
	return &resource.FunctionURLCORS{
		AllowCredentials: value(c.AllowCredentials), AllowHeaders: c.AllowHeaders, AllowMethods: c.AllowMethods,
		AllowOrigins: c.AllowOrigins, ExposeHeaders: c.ExposeHeaders, MaxAge: int(value(c.MaxAge)),
	}, nil
}
