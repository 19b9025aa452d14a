package lambda

import (
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// How often and how long AWS tries an asynchronous invocation if nothing else is configured.
const (
	asyncRetries = 2
	asyncMaxAge  = 6 * time.Hour
)

func (s *Service) putEventInvoke(tx *state.Tx, _ *api.Call, in *PutFunctionEventInvokeConfigInput) (*PutFunctionEventInvokeConfigOutput, error) {
	f, c, err := findEventInvoke(tx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	fresh := &resource.EventInvoke{Function: c.Function, Qualifier: c.Qualifier}
	return s.setEventInvoke(tx, f, fresh, in.MaximumEventAgeInSeconds, in.MaximumRetryAttempts, in.DestinationConfig)
}

func (s *Service) updateEventInvoke(tx *state.Tx, _ *api.Call, in *UpdateFunctionEventInvokeConfigInput) (*UpdateFunctionEventInvokeConfigOutput, error) {
	f, c, err := needEventInvoke(tx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	changed := *c
	return s.setEventInvoke(tx, f, &changed, in.MaximumEventAgeInSeconds, in.MaximumRetryAttempts, in.DestinationConfig)
}

func (s *Service) setEventInvoke(tx *state.Tx, f *resource.Function, c *resource.EventInvoke, age, retries *int64, d *DestinationConfig) (*FunctionEventInvokeConfig, error) {
	if age == nil && retries == nil && d == nil {
		return nil, invalid("You must specify at least one of error handling or destination setting.")
	}
	if age != nil && (*age < 60 || *age > 21600) {
		return nil, constraint(strconv.FormatInt(*age, 10), "maximumEventAgeInSeconds", "Member must have value between 60 and 21600")
	}
	if retries != nil && (*retries < 0 || *retries > asyncRetries) {
		return nil, constraint(strconv.FormatInt(*retries, 10), "maximumRetryAttempts", "Member must have value less than or equal to 2")
	}
	if age != nil {
		c.MaxAge = ptr(int(*age))
	}
	if retries != nil {
		c.MaxRetries = ptr(int(*retries))
	}
	if d != nil {
		if d.OnSuccess != nil {
			c.OnSuccess = value(d.OnSuccess.Destination)
		}
		if d.OnFailure != nil {
			c.OnFailure = value(d.OnFailure.Destination)
		}
	}
	for _, to := range []string{c.OnSuccess, c.OnFailure} {
		if err := s.checkDestination(tx, f, to); err != nil {
			return nil, err
		}
	}
	c.LastModified = tx.Now()
	tx.Put(c)
	return describeEventInvoke(tx, c), nil
}

// checkDestination makes sure that a function can hand its results on: to another function, and by its role.
func (s *Service) checkDestination(r state.Reader, f *resource.Function, arn string) error {
	if arn == "" {
		return nil
	}
	if !strings.HasPrefix(arn, "arn:aws:lambda:") {
		return unsupported("destinations other than Lambda functions: " + arn)
	}
	target, n, err := findFunction(r, &arn, nil)
	switch {
	case err != nil || n.Region == "":
		return invalid("The destination ARN %s is invalid.", arn)
	case target.Name == f.Name:
		return invalid("You can't specify the function as a destination for itself.")
	case !s.config.Roles.AllowsOn(r, f.Role, "lambda:InvokeFunction", arn):
		return invalid("The function's execution role does not have permissions to call InvokeFunction on %s", arn)
	}
	return nil
}

func (s *Service) getEventInvoke(v *state.View, _ *api.Call, in *GetFunctionEventInvokeConfigInput) (*GetFunctionEventInvokeConfigOutput, error) {
	_, c, err := needEventInvoke(v, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return describeEventInvoke(v, c), nil
}

func (s *Service) deleteEventInvoke(tx *state.Tx, _ *api.Call, in *DeleteFunctionEventInvokeConfigInput) (*DeleteFunctionEventInvokeConfigOutput, error) {
	_, c, err := needEventInvoke(tx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	tx.Delete(c)
	return &DeleteFunctionEventInvokeConfigOutput{}, nil
}

func (s *Service) listEventInvokes(v *state.View, _ *api.Call, in *ListFunctionEventInvokeConfigsInput) (*ListFunctionEventInvokeConfigsOutput, error) {
	f, _, err := findUnqualified(v, in.FunctionName)
	if err != nil {
		return nil, err
	}
	all := state.Select(v, func(c *resource.EventInvoke) bool { return c.Function == f.Name })
	page, next, err := pageOf(all, in.Marker, in.MaxItems, maxListed)
	if err != nil {
		return nil, err
	}
	out := &ListFunctionEventInvokeConfigsOutput{FunctionEventInvokeConfigs: []FunctionEventInvokeConfig{}, NextMarker: next}
	for _, c := range page {
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, *describeEventInvoke(v, c))
	}
	return out, nil
}

// findEventInvoke finds the function and what is configured of the qualifier, which is empty if nothing is.
func findEventInvoke(r state.Reader, name, qualifier *string) (*resource.Function, *resource.EventInvoke, error) {
	f, n, err := findFunction(r, name, qualifier)
	if e := api.AsError(err); e != nil && e.Code == "ResourceNotFoundException" {
		return nil, nil, notFound("The function doesn't exist.")
	}
	if err != nil {
		return nil, nil, err
	}
	return f, eventInvokeOf(r, n), nil
}

// eventInvokeOf is what is configured of a function or its qualifier; an empty configuration if nothing is.
func eventInvokeOf(r state.Reader, n functionName) *resource.EventInvoke {
	c := &resource.EventInvoke{Function: n.Name, Qualifier: n.Qualifier}
	if c.Qualifier == "" {
		c.Qualifier = latest
	}
	if there, ok := state.Get[*resource.EventInvoke](r, c.Key()); ok {
		return there
	}
	return c
}

func needEventInvoke(r state.Reader, name, qualifier *string) (*resource.Function, *resource.EventInvoke, error) {
	f, c, err := findEventInvoke(r, name, qualifier)
	if err != nil {
		return nil, nil, err
	}
	if c.LastModified.IsZero() {
		return nil, nil, notFound("The function %s:%s doesn't have an EventInvokeConfig", f.ARN, c.Qualifier)
	}
	return f, c, nil
}

func describeEventInvoke(r state.Reader, c *resource.EventInvoke) *FunctionEventInvokeConfig {
	out := &FunctionEventInvokeConfig{
		FunctionArn: ptr(functionName{Name: c.Function, Qualifier: c.Qualifier}.arn(r)), LastModified: &c.LastModified,
		DestinationConfig: &DestinationConfig{OnSuccess: &OnSuccess{Destination: text(c.OnSuccess)}, OnFailure: &OnFailure{Destination: text(c.OnFailure)}},
	}
	if c.MaxAge != nil {
		out.MaximumEventAgeInSeconds = ptr(int64(*c.MaxAge))
	}
	if c.MaxRetries != nil {
		out.MaximumRetryAttempts = ptr(int64(*c.MaxRetries))
	}
	return out
}

// patience is how often and how long an asynchronous invocation is tried.
func patience(c *resource.EventInvoke) (retries int, age time.Duration) {
	retries, age = asyncRetries, asyncMaxAge
	if c.MaxRetries != nil {
		retries = *c.MaxRetries
	}
	if c.MaxAge != nil {
		age = time.Duration(*c.MaxAge) * time.Second
	}
	return retries, age
}
