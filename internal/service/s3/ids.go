package s3

import (
	"net/http"
	"regexp"

	"github.com/culvert-cloud/culvert/internal/api"
)

// The engine makes these ids, and takes what it is given for one as part of a path. What it cannot have made must
// never reach it: it would name, and delete, other directories than the one that was authorised.
var (
	uploadID  = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	versionID = regexp.MustCompile(`^(null|[0-9A-Z]{26})$`)
)

// checkIDs checks the ids among the parameters.
func (r *request) checkIDs() error {
	if r.query.Has("uploadId") && !uploadID.MatchString(r.query.Get("uploadId")) {
		return (&api.Error{Code: "NoSuchUpload", Status: http.StatusNotFound,
			Message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."}).
			With("UploadId", r.query.Get("uploadId"))
	}
	for _, name := range []string{"versionId", "version-id-marker"} {
		if err := checkVersionID(name, r.query.Get(name)); err != nil {
			return err
		}
	}
	return nil
}

// checkVersionID accepts an empty id, which is none.
func checkVersionID(name, id string) error {
	if id != "" && !versionID.MatchString(id) {
		return invalidArgument("Invalid version id specified", name, id)
	}
	return nil
}
