package flowlog

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// Stream is the log stream of an interface's records: <interface>-all.
func Stream(f *resource.FlowLog, eni resource.NetworkInterfaceID) string {
	return string(eni) + map[string]string{"ALL": "-all", "ACCEPT": "-accept", "REJECT": "-reject"}[f.TrafficType]
}

// File is a batch as a file, compressed, and its key in the bucket; see the guide, "Flow log files".
func File(b Batch, account, region string, now time.Time) (key string, content []byte, err error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	lines := []byte(b.Format.Header() + "\n")
	for _, r := range b.Records {
		lines = append(append(lines, r.Line...), '\n')
	}
	if _, err := z.Write(lines); err != nil {
		return "", nil, fmt.Errorf("compress records of %s: %w", b.Log.ID, err)
	}
	if err := z.Close(); err != nil {
		return "", nil, fmt.Errorf("compress records of %s: %w", b.Log.ID, err)
	}
	now = now.UTC()
	sum := sha256.Sum256(fmt.Appendf(lines, "%d", now.UnixNano()))
	name := fmt.Sprintf("%s_vpcflowlogs_%s_%s_%s_%s.log.gz", account, region, b.Log.ID, now.Format("20060102T1504Z"), hex.EncodeToString(sum[:4]))
	return folder(b.Log, account) + days(b.Log.Options, region, now) + name, out.Bytes(), nil
}

// days are the folders between the account's and the file.
func days(o resource.FlowLogOptions, region string, now time.Time) string {
	layout, prefix := "2006/01/02/", "vpcflowlogs/"+region+"/"
	if o.HiveCompatible {
		layout, prefix = "year=2006/month=01/day=02/", "aws-service=vpcflowlogs/aws-region="+region+"/"
	}
	out := prefix + now.Format(layout)
	switch {
	case o.PerHourPartitioned && o.HiveCompatible:
		out += now.Format("hour=15/")
	case o.PerHourPartitioned:
		out += now.Format("15/")
	}
	return out
}
