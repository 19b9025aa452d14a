package lambda

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const maxLayers = 5

var layerName = regexp.MustCompile(`^(?:arn:aws:lambda:([a-z0-9-]+):(\d{12}):layer:)?([a-zA-Z0-9-_]+)(?::([0-9]+))?$`)

// layerRef is a layer as a caller names it, taken apart. The version is 0 where there is none.
type layerRef struct {
	region, account, name string
	version               int
}

func parseLayer(text string) (layerRef, bool) {
	m := layerName.FindStringSubmatch(text)
	if m == nil {
		return layerRef{}, false
	}
	ref := layerRef{region: m[1], account: m[2], name: m[3]}
	if m[4] != "" {
		n, err := strconv.Atoi(m[4])
		if err != nil || n < 1 {
			return layerRef{}, false
		}
		ref.version = n
	}
	return ref, true
}

// here finds the layer's name in this region; another account's layers are not reachable.
func (l layerRef) here(r state.Reader) (string, error) {
	if l.region != "" && l.region != r.Region() {
		return "", invalid("Layers are not in the same region as the function. Layers are expected to be in region %s.", r.Region())
	}
	if l.account != "" && l.account != r.Account() {
		return "", api.Errorf("AccessDeniedException", "Layers of the account %s are not reachable from the account %s.", l.account, r.Account()).WithStatus(403)
	}
	return l.name, nil
}

func layerARN(r state.Reader, name string) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:layer:%s", r.Region(), r.Account(), name)
}

func layerVersionARN(r state.Reader, v *resource.LayerVersion) string {
	return fmt.Sprintf("%s:%d", layerARN(r, v.Layer), v.Version)
}

func (s *Service) publishLayer(ctx context.Context, call *api.Call, in *PublishLayerVersionInput) (*PublishLayerVersionOutput, error) {
	view := s.config.State.View()
	ref, ok := parseLayer(value(in.LayerName))
	if !ok || ref.version != 0 || len(ref.name) > 64 {
		return nil, constraint(value(in.LayerName), "layerName", "Member must satisfy regular expression pattern: "+
			`(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`)
	}
	name, err := ref.here(view)
	if err != nil {
		return nil, err
	}
	if err := checkCompatible(in.CompatibleRuntimes, in.CompatibleArchitectures); err != nil {
		return nil, err
	}
	c := in.Content
	code, release, err := s.fetchCode(ctx, call, codeSource{S3Bucket: c.S3Bucket, S3Key: c.S3Key, S3ObjectVersion: c.S3ObjectVersion, ZipFile: c.ZipFile})
	if err != nil {
		return nil, err
	}
	defer release()
	v := &resource.LayerVersion{
		Layer: name, Description: value(in.Description), License: value(in.LicenseInfo), Runtimes: in.CompatibleRuntimes,
		Architectures: in.CompatibleArchitectures, CodeSHA256: code.SHA256, CodeKey: code.Key, CodeSize: code.Size,
	}
	err = s.commit(ctx, func(tx *state.Tx) error {
		layer := &resource.Layer{Name: name}
		if there, ok := state.Get[*resource.Layer](tx, name); ok {
			*layer = *there
		}
		layer.Published++
		v.Version, v.Created, v.RevisionID = layer.Published, tx.Now(), newRevision(tx)
		tx.Put(layer)
		tx.Put(v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return (*PublishLayerVersionOutput)(s.describeLayer(view, call, v)), nil
}

func checkCompatible(wanted, architectures []string) error {
	known := slices.Concat(runtimes(), foreignRuntimes(), retiredRuntimes())
	for _, r := range wanted {
		if !slices.Contains(known, r) {
			return constraint(fmt.Sprint(wanted), "compatibleRuntimes", "Member must satisfy constraint: [Member must satisfy enum value set]")
		}
	}
	for _, a := range architectures {
		if a != "x86_64" && a != "arm64" {
			return constraint(fmt.Sprint(architectures), "compatibleArchitectures", "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]")
		}
	}
	return nil
}

func (s *Service) describeLayer(r state.Reader, call *api.Call, v *resource.LayerVersion) *GetLayerVersionResponse {
	return &GetLayerVersionResponse{
		LayerArn: ptr(layerARN(r, v.Layer)), LayerVersionArn: ptr(layerVersionARN(r, v)), Version: ptr(int64(v.Version)),
		Description: &v.Description, LicenseInfo: text(v.License), CreatedDate: ptr(written(v.Created)),
		CompatibleRuntimes: v.Runtimes, CompatibleArchitectures: v.Architectures,
		Content: &LayerVersionContentOutput{CodeSha256: &v.CodeSHA256, CodeSize: &v.CodeSize, Location: s.location(call, v.CodeKey)},
	}
}

func listedLayer(r state.Reader, v *resource.LayerVersion) *LayerVersionsListItem {
	return &LayerVersionsListItem{
		LayerVersionArn: ptr(layerVersionARN(r, v)), Version: ptr(int64(v.Version)), Description: &v.Description,
		LicenseInfo: text(v.License), CreatedDate: ptr(written(v.Created)), CompatibleRuntimes: v.Runtimes, CompatibleArchitectures: v.Architectures,
	}
}

// text is an optional text that AWS leaves out when it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (s *Service) getLayer(v *state.View, call *api.Call, in *GetLayerVersionInput) (*GetLayerVersionOutput, error) {
	l, err := findLayer(v, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	return s.describeLayer(v, call, l), nil
}

func (s *Service) getLayerByARN(v *state.View, call *api.Call, in *GetLayerVersionByArnInput) (*GetLayerVersionByArnOutput, error) {
	ref, ok := parseLayer(value(in.Arn))
	if !ok || ref.version == 0 {
		return nil, constraint(value(in.Arn), "arn", `Member must satisfy regular expression pattern: arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+`)
	}
	l, err := findLayer(v, in.Arn, ptr(int64(ref.version)))
	if err != nil {
		return nil, err
	}
	return s.describeLayer(v, call, l), nil
}

func findLayer(r state.Reader, name *string, version *int64) (*resource.LayerVersion, error) {
	ref, ok := parseLayer(value(name))
	if !ok {
		return nil, constraint(value(name), "layerName", "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+")
	}
	if value(version) < 1 {
		return nil, invalid("Layer Version Cannot be less than 1")
	}
	layer, err := ref.here(r)
	if err != nil {
		return nil, err
	}
	v, ok := state.Get[*resource.LayerVersion](r, resource.LayerVersionKey(layer, int(*version)))
	if !ok {
		return nil, notFound("The resource you requested does not exist.")
	}
	return v, nil
}

// deleteLayer deletes a version; functions that use it go on. That it is gone already is fine, as on AWS.
func (s *Service) deleteLayer(ctx context.Context, _ *api.Call, in *DeleteLayerVersionInput) (*DeleteLayerVersionOutput, error) {
	key := ""
	err := s.commit(ctx, func(tx *state.Tx) error {
		v, err := findLayer(tx, in.LayerName, in.VersionNumber)
		if e := api.AsError(err); e != nil && e.Code == "ResourceNotFoundException" {
			return nil
		}
		if err != nil {
			return err
		}
		tx.Delete(v)
		key = v.CodeKey
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.config.Code.Collect(key)
	return &DeleteLayerVersionOutput{}, nil
}

// matching are the versions of layers that fit a runtime and an architecture, newest first of each layer.
func matching(r state.Reader, layer string, runtime, architecture *string) []*resource.LayerVersion {
	fits := func(has []string, wanted *string) bool { return wanted == nil || slices.Contains(has, *wanted) }
	found := state.Select(r, func(v *resource.LayerVersion) bool {
		return v.Layer == layer && fits(v.Runtimes, runtime) && fits(v.Architectures, architecture)
	})
	slices.Reverse(found)
	return found
}

func (s *Service) listLayerVersions(v *state.View, _ *api.Call, in *ListLayerVersionsInput) (*ListLayerVersionsOutput, error) {
	ref, ok := parseLayer(value(in.LayerName))
	if !ok {
		return nil, constraint(value(in.LayerName), "layerName", "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+")
	}
	name, err := ref.here(v)
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(matching(v, name, in.CompatibleRuntime, in.CompatibleArchitecture), in.Marker, in.MaxItems, maxListed)
	if err != nil {
		return nil, err
	}
	out := &ListLayerVersionsOutput{LayerVersions: []LayerVersionsListItem{}, NextMarker: next}
	for _, l := range page {
		out.LayerVersions = append(out.LayerVersions, *listedLayer(v, l))
	}
	return out, nil
}

func (s *Service) listLayers(v *state.View, _ *api.Call, in *ListLayersInput) (*ListLayersOutput, error) {
	var newest []*resource.LayerVersion
	for _, l := range state.List[*resource.Layer](v) {
		if found := matching(v, l.Name, in.CompatibleRuntime, in.CompatibleArchitecture); len(found) > 0 {
			newest = append(newest, found[0])
		}
	}
	page, next, err := pageOf(newest, in.Marker, in.MaxItems, maxListed)
	if err != nil {
		return nil, err
	}
	out := &ListLayersOutput{Layers: []LayersListItem{}, NextMarker: next}
	for _, l := range page {
		out.Layers = append(out.Layers, LayersListItem{LayerName: &l.Layer, LayerArn: ptr(layerARN(v, l.Layer)), LatestMatchingVersion: listedLayer(v, l)})
	}
	return out, nil
}

// useLayers finds the layers that a function is to have.
func (s *Service) useLayers(r state.Reader, f *resource.Function, arns []string) error {
	var layers []resource.FunctionLayer
	for i, arn := range arns {
		ref, ok := parseLayer(arn)
		if !ok || ref.version == 0 || ref.region == "" {
			return constraint(fmt.Sprint(arns), "layers", "Member must satisfy constraint: [Member must have length less than or equal to 140, "+
				`Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+]`)
		}
		for _, other := range arns[:i] {
			if o, _ := parseLayer(other); o.name == ref.name && o.account == ref.account {
				return invalid("Two different versions of the same layer are not allowed to be referenced in the same function. %s and %s versions", other, arn)
			}
		}
		name, err := ref.here(r)
		if err != nil {
			return err
		}
		v, ok := state.Get[*resource.LayerVersion](r, resource.LayerVersionKey(name, ref.version))
		if !ok {
			if l, had := usesAlready(f, arn); had { // a deleted version stays with who has it
				layers = append(layers, l)
				continue
			}
			return invalid("Layer version %s does not exist.", arn)
		}
		layers = append(layers, resource.FunctionLayer{ARN: arn, CodeKey: v.CodeKey, CodeSize: v.CodeSize})
	}
	f.Layers = layers
	return nil
}

func usesAlready(f *resource.Function, arn string) (resource.FunctionLayer, bool) {
	i := slices.IndexFunc(f.Layers, func(l resource.FunctionLayer) bool { return l.ARN == arn })
	if i < 0 {
		return resource.FunctionLayer{}, false
	}
	return f.Layers[i], true
}

// checkSize bounds a function's code together with its layers, unpacked.
func (s *Service) checkSize(f *resource.Function) error {
	if len(f.Layers) == 0 {
		return nil
	}
	var total int64
	for _, key := range codeOf(f) {
		size, err := s.config.Code.unpackedSize(key)
		if err != nil {
			return fmt.Errorf("measure the code of %s: %w", f.Name, err)
		}
		total += size
	}
	if total > maxUnzipped {
		return invalid("Function code combined with layers exceeds the maximum allowed size of %d bytes. The actual size is %d bytes.", maxUnzipped, total)
	}
	return nil
}

// unpackedSize is how long a package's files are together.
func (s *CodeStore) unpackedSize(key string) (total int64, err error) {
	err = filepath.WalkDir(s.Path(key), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
