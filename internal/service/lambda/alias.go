package lambda

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const aliasPattern = `(?!^[0-9]+$)([a-zA-Z0-9-_]+)`

var (
	aliasName = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)
	digits    = regexp.MustCompile(`^[0-9]+$`)
)

func (s *Service) createAlias(tx *state.Tx, _ *api.Call, in *CreateAliasInput) (*CreateAliasOutput, error) {
	f, _, err := findUnqualified(tx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	name := value(in.Name)
	if !aliasName.MatchString(name) || digits.MatchString(name) {
		return nil, constraint(name, "name", "Member must satisfy regular expression pattern: "+aliasPattern)
	}
	if _, ok := findAlias(tx, f.Name, name); ok {
		return nil, conflict("Alias already exists: %s:%s", f.ARN, name)
	}
	a := &resource.FunctionAlias{Function: f.Name, Name: name, Version: value(in.FunctionVersion), Description: value(in.Description)}
	if err := route(tx, f, a, in.RoutingConfig); err != nil {
		return nil, err
	}
	a.RevisionID = newRevision(tx)
	tx.Put(a)
	return aliasConfiguration(f, a), nil
}

// route checks where an alias points to, and gives it its second version.
func route(r state.Reader, f *resource.Function, a *resource.FunctionAlias, c *AliasRoutingConfiguration) error {
	if _, ok := findVersion(r, f.Name, a.Version); !ok && a.Version != latest {
		return notFound("Function not found: %s:%s", f.ARN, a.Version)
	}
	if c != nil {
		a.Weights = c.AdditionalVersionWeights
	}
	if len(a.Weights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for version, share := range a.Weights {
		if err := checkShare(r, f, a, version, share); err != nil {
			return err
		}
	}
	return nil
}

func checkShare(r state.Reader, f *resource.Function, a *resource.FunctionAlias, version string, share float64) error {
	shown := fmt.Sprintf("{%s=%v}", version, share)
	const member = "routingConfig.additionalVersionWeights"
	switch {
	case !digits.MatchString(version) || len(version) > 1024:
		return constraint(shown, member, "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, "+
			"Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]")
	case !(share >= 0 && share <= 1):
		return constraint(shown, member, "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, "+
			"Member must have value greater than or equal to 0.0, Member must not be null]")
	case version == a.Version:
		return invalid("Invalid function version %s. Function version %s is already included in routing configuration.", version, version)
	case a.Version == latest:
		return invalid("$LATEST is not supported for an alias pointing to more than 1 version")
	}
	if _, ok := findVersion(r, f.Name, version); !ok {
		return notFound("Function not found: %s:%s", f.ARN, version)
	}
	return nil
}

func (s *Service) getAlias(v *state.View, _ *api.Call, in *GetAliasInput) (*GetAliasOutput, error) {
	f, a, err := needAlias(v, in.FunctionName, in.Name)
	if err != nil {
		return nil, err
	}
	return aliasConfiguration(f, a), nil
}

// updateAlias moves what is kept initialized with the alias.
func (s *Service) updateAlias(ctx context.Context, _ *api.Call, in *UpdateAliasInput) (out *UpdateAliasOutput, err error) {
	err = s.commit(ctx, func(tx *state.Tx) (err error) {
		out, err = changeAlias(tx, in)
		return err
	})
	if err == nil {
		s.provision()
	}
	return out, err
}

func changeAlias(tx *state.Tx, in *UpdateAliasInput) (*UpdateAliasOutput, error) {
	f, a, err := needAlias(tx, in.FunctionName, in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkRevision(a.RevisionID, in.RevisionId); err != nil {
		return nil, err
	}
	changed := *a
	set(&changed.Version, in.FunctionVersion)
	set(&changed.Description, in.Description)
	if err := route(tx, f, &changed, in.RoutingConfig); err != nil {
		return nil, err
	}
	changed.RevisionID = newRevision(tx)
	tx.Put(&changed)
	return aliasConfiguration(f, &changed), nil
}

// deleteAlias deletes an alias and what was configured of it. That it is gone already is fine, as on AWS.
func (s *Service) deleteAlias(ctx context.Context, _ *api.Call, in *DeleteAliasInput) (*DeleteAliasOutput, error) {
	err := s.commit(ctx, func(tx *state.Tx) error {
		f, _, err := findUnqualified(tx, in.FunctionName)
		if err != nil {
			return err
		}
		if a, ok := findAlias(tx, f.Name, value(in.Name)); ok {
			tx.Delete(a)
			deleteParts(tx, f.Name, a.Name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.provision()
	return &DeleteAliasOutput{}, nil
}

func (s *Service) listAliases(v *state.View, _ *api.Call, in *ListAliasesInput) (*ListAliasesOutput, error) {
	f, _, err := findUnqualified(v, in.FunctionName)
	if err != nil {
		return nil, err
	}
	var all []*resource.FunctionAlias
	for _, a := range aliasesOf(v, f.Name) {
		if _, shares := a.Weights[value(in.FunctionVersion)]; in.FunctionVersion == nil || shares || a.Version == *in.FunctionVersion {
			all = append(all, a)
		}
	}
	page, next, err := pageOf(all, in.Marker, in.MaxItems, maxVersions)
	if err != nil {
		return nil, err
	}
	out := &ListAliasesOutput{Aliases: []AliasConfiguration{}, NextMarker: next}
	for _, a := range page {
		out.Aliases = append(out.Aliases, *aliasConfiguration(f, a))
	}
	return out, nil
}

func findAlias(r state.Reader, function, name string) (*resource.FunctionAlias, bool) {
	return state.Get[*resource.FunctionAlias](r, resource.FunctionPart(function, name))
}

func aliasesOf(r state.Reader, function string) []*resource.FunctionAlias {
	return state.Select(r, func(a *resource.FunctionAlias) bool { return a.Function == function })
}

func needAlias(r state.Reader, function, name *string) (*resource.Function, *resource.FunctionAlias, error) {
	f, _, err := findUnqualified(r, function)
	if err != nil {
		return nil, nil, err
	}
	a, ok := findAlias(r, f.Name, value(name))
	if !ok {
		return nil, nil, noAlias(f.ARN, value(name))
	}
	return f, a, nil
}

func noAlias(arn, name string) error { return notFound("Cannot find alias arn: %s:%s", arn, name) }

func aliasConfiguration(f *resource.Function, a *resource.FunctionAlias) *AliasConfiguration {
	out := &AliasConfiguration{
		AliasArn: ptr(f.ARN + ":" + a.Name), Name: &a.Name, FunctionVersion: &a.Version, Description: &a.Description, RevisionId: &a.RevisionID,
	}
	if len(a.Weights) > 0 {
		out.RoutingConfig = &AliasRoutingConfiguration{AdditionalVersionWeights: a.Weights}
	}
	return out
}

// chosen is the version that an invocation of an alias goes to, by chance.
func chosen(a *resource.FunctionAlias) string {
	point := rand.Float64()
	for version, share := range a.Weights { // there is one at most
		if point < share {
			return version
		}
	}
	return a.Version
}

// newRevision makes a revision id, a UUID.
func newRevision(tx *state.Tx) string {
	h := tx.RandomHex(32)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}
