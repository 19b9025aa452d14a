package flowlog

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/culvert-cloud/culvert/internal/api/policy"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// DeliveryService is who puts files into buckets.
const DeliveryService = "delivery.logs.amazonaws.com"

// folder is what the keys of a flow log's files begin with, up to the account.
func folder(f *resource.FlowLog, account string) string {
	_, prefix := f.Bucket()
	if prefix != "" {
		prefix += "/"
	}
	if f.Options.HiveCompatible {
		return prefix + "AWSLogs/aws-account-id=" + account + "/"
	}
	return prefix + "AWSLogs/" + account + "/"
}

func source(region, account string) string {
	return "arn:aws:logs:" + region + ":" + account + ":*"
}

// MayDeliver reports whether the policy of a flow log's bucket, nil if it has none, lets its files be put there.
func MayDeliver(d *policy.Document, f *resource.FlowLog, region, account string) bool {
	bucket, _ := f.Bucket()
	return mayPut(d, "arn:aws:s3:::"+bucket+"/"+folder(f, account)+"*", region, account)
}

func mayPut(d *policy.Document, object, region, account string) bool {
	return policy.Evaluate(policy.Request{
		Action: "s3:PutObject", Resource: object, Principal: policy.Principal{Service: DeliveryService}, Context: DeliveryKeys(region, account),
	}, policy.Policies{Resource: d, ResourceDecides: true, ResourceAccount: account}).Allowed
}

// DeliveryKeys are the condition keys of a file that is delivered.
func DeliveryKeys(region, account string) map[string][]string {
	return map[string][]string{
		"s3:x-amz-acl": {"bucket-owner-full-control"}, "aws:sourceaccount": {account}, "aws:sourcearn": {source(region, account)},
		"aws:principalisawsservice": {"true"}, "aws:principalservicename": {DeliveryService}, "aws:securetransport": {"true"},
		"aws:resourceaccount": {account}, "aws:requestedregion": {region},
	}
}

// AddDelivery adds the statements to a bucket's policy that AWS adds.
func AddDelivery(text string, f *resource.FlowLog, region, account string) (string, error) {
	document := map[string]any{"Version": "2012-10-17", "Id": "AWSLogDeliveryWrite20150319", "Statement": []any{}}
	if text != "" {
		document = map[string]any{}
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			return "", fmt.Errorf("read bucket policy: %w", err)
		}
	}
	statements, several := document["Statement"].([]any)
	if !several {
		statements = []any{document["Statement"]}
	}
	bucket, _ := f.Bucket()
	principal := map[string]any{"Service": DeliveryService}
	from := map[string]any{"aws:SourceArn": source(region, account)}
	n := len(statements)/2 + 1
	document["Statement"] = append(statements,
		map[string]any{
			"Sid": fmt.Sprintf("AWSLogDeliveryWrite%d", n), "Effect": "Allow", "Principal": principal, "Action": "s3:PutObject",
			"Resource": "arn:aws:s3:::" + bucket + "/" + folder(f, account) + "*",
			"Condition": map[string]any{
				"StringEquals": map[string]any{"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceAccount": account}, "ArnLike": from},
		},
		map[string]any{
			"Sid": fmt.Sprintf("AWSLogDeliveryAclCheck%d", n), "Effect": "Allow", "Principal": principal, "Action": "s3:GetBucketAcl",
			"Resource":  "arn:aws:s3:::" + bucket,
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": account}, "ArnLike": from},
		})
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(document); err != nil {
		return "", fmt.Errorf("write bucket policy: %w", err)
	}
	return string(bytes.TrimSpace(out.Bytes())), nil
}
