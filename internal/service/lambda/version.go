package lambda

import (
	"context"
	"reflect"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) publishVersion(ctx context.Context, _ *api.Call, in *PublishVersionInput) (*PublishVersionOutput, error) {
	var published *resource.FunctionVersion
	isNew := false
	err := s.commit(ctx, func(tx *state.Tx) error {
		f, _, err := findUnqualified(tx, in.FunctionName)
		if err != nil {
			return err
		}
		if err := checkRevision(f.RevisionID, in.RevisionId); err != nil {
			return err
		}
		if sum := value(in.CodeSha256); sum != "" && sum != f.CodeSHA256 {
			return invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). "+
				"Please try again with the CodeSHA256 in $LATEST.", sum, f.CodeSHA256)
		}
		published, isNew = publish(tx, f, in.Description)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := configuration(&published.Function, published.ARN+":"+published.Version)
	if isNew {
		pending(out)
	}
	return out, nil
}

// publish keeps a function as it is now under the next number. If it is as it was when it was last published, that
// version is the answer, as on AWS.
func publish(tx *state.Tx, f *resource.Function, description *string) (v *resource.FunctionVersion, isNew bool) {
	if last, ok := findVersion(tx, f.Name, strconv.Itoa(f.Published)); ok && last.SourceDescription == f.Description && sameFunction(&last.Function, f) {
		return last, false
	}
	latest := *f
	latest.Published++
	tx.Put(&latest)
	v = &resource.FunctionVersion{Function: *f, SourceDescription: f.Description}
	v.Version, v.Published, v.Tags, v.ReservedConcurrency = strconv.Itoa(latest.Published), 0, nil, nil
	set(&v.Description, description)
	touch(tx, &v.Function)
	tx.Put(v)
	return v, true
}

// sameFunction compares what is published of two functions.
func sameFunction(a, b *resource.Function) bool {
	x, y := *a, *b
	for _, f := range []*resource.Function{&x, &y} {
		f.Version, f.Published, f.Tags, f.ReservedConcurrency = "", 0, nil, nil
		f.RevisionID, f.LastModified, f.Description = "", y.LastModified, ""
		if len(f.Environment) == 0 {
			f.Environment = nil
		}
	}
	return reflect.DeepEqual(x, y)
}

func findVersion(r state.Reader, function, version string) (*resource.FunctionVersion, bool) {
	return state.Get[*resource.FunctionVersion](r, resource.FunctionPart(function, version))
}

func versionsOf(r state.Reader, function string) []*resource.FunctionVersion {
	return state.Select(r, func(v *resource.FunctionVersion) bool { return v.Name == function })
}

// pending is how the answer to what makes a function describes it: it is not there yet.
func pending(c *FunctionConfiguration) {
	c.State, c.StateReason, c.StateReasonCode = ptr("Pending"), ptr("The function is being created."), ptr("Creating")
	c.LastUpdateStatus = nil
}

// inProgress is how the answer to what changes a function describes it.
func inProgress(c *FunctionConfiguration) {
	c.LastUpdateStatus = ptr("InProgress")
	c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = ptr("The function is being created."), ptr("Creating")
}

func (s *Service) listVersions(v *state.View, _ *api.Call, in *ListVersionsByFunctionInput) (*ListVersionsByFunctionOutput, error) {
	f, _, err := findUnqualified(v, in.FunctionName)
	if err != nil {
		return nil, err
	}
	all := []*resource.Function{f}
	for n := 1; n <= f.Published; n++ {
		if published, ok := findVersion(v, f.Name, strconv.Itoa(n)); ok {
			all = append(all, &published.Function)
		}
	}
	page, next, err := pageOf(all, in.Marker, in.MaxItems, maxVersions)
	if err != nil {
		return nil, err
	}
	out := &ListVersionsByFunctionOutput{Versions: []FunctionConfiguration{}, NextMarker: next}
	for _, f := range page {
		out.Versions = append(out.Versions, *configuration(f, f.ARN+":"+versionOf(f)))
	}
	return out, nil
}

// versionOf is a function's version as AWS writes it.
func versionOf(f *resource.Function) string {
	if f.Version == "" {
		return latest
	}
	return f.Version
}

// pageOf is the part of a list that a call asks for; the marker is a position in it.
func pageOf[T any](all []T, marker *string, limit *int64, most int) (page []T, next *string, err error) {
	from := 0
	if m := value(marker); m != "" {
		if from, err = strconv.Atoi(m); err != nil || from < 0 || from > len(all) {
			return nil, nil, invalid("Invalid Marker.")
		}
	}
	to := min(len(all), from+pageSize(limit, most))
	if to < len(all) {
		next = ptr(strconv.Itoa(to))
	}
	return all[from:to], next, nil
}

// deleteVersion deletes one version, which nothing may point to.
func deleteVersion(tx *state.Tx, f *resource.Function, n functionName) (*resource.Function, error) {
	v, ok := findVersion(tx, f.Name, n.Qualifier)
	if !ok {
		return nil, invalid("Deletion of aliases is not currently supported.")
	}
	for _, a := range aliasesOf(tx, f.Name) {
		if _, shares := a.Weights[v.Version]; shares || a.Version == v.Version {
			return nil, conflict("Cannot delete the version %s of the function %s: the alias %s points to it.", v.Version, f.Name, a.Name)
		}
	}
	tx.Delete(v)
	deleteParts(tx, f.Name, v.Version)
	return &v.Function, nil
}

// deleteParts deletes what was configured of a qualifier.
func deleteParts(tx *state.Tx, function, qualifier string) {
	key := resource.FunctionPart(function, qualifier)
	deleteIfThere[*resource.FunctionPolicy](tx, key)
	deleteIfThere[*resource.FunctionURL](tx, key)
	deleteIfThere[*resource.EventInvoke](tx, key)
	deleteIfThere[*resource.Provisioned](tx, key)
}

func deleteIfThere[T state.Resource](tx *state.Tx, key string) {
	if found, ok := state.Get[T](tx, key); ok {
		tx.Delete(found)
	}
}

// deleteAll deletes a function with all its versions and aliases, and returns what there was.
func deleteAll(tx *state.Tx, f *resource.Function) []*resource.Function {
	gone := []*resource.Function{f}
	for _, v := range versionsOf(tx, f.Name) {
		gone = append(gone, &v.Function)
		tx.Delete(v)
		deleteParts(tx, f.Name, v.Version)
	}
	for _, a := range aliasesOf(tx, f.Name) {
		tx.Delete(a)
		deleteParts(tx, f.Name, a.Name)
	}
	deleteParts(tx, f.Name, "")
	deleteParts(tx, f.Name, latest)
	tx.Delete(f)
	return gone
}

func conflict(format string, args ...any) error {
	return api.Errorf("ResourceConflictException", format, args...).WithStatus(409)
}
