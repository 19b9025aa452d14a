// Package wire translates between the AWS protocols and Go structs.
//
// It knows the protocols ec2Query, awsQuery, restJson1 and awsJson1.1: it decodes a request into an operation's
// input, and encodes outputs and errors. It never interprets what it carries, and it knows no service: what a
// struct looks like on the wire is in its tags. The structs are generated from AWS's models by tools/apigen:
//
//   - Scalars are pointers (*string, *int64, *float64, *bool, *time.Time); nil is absent.
//   - Structures are pointers as members and values in lists and maps.
//   - Lists are slices; nil is absent, empty but not nil is an empty list. Blobs are []byte.
//
// A tag is the member's name in requests, followed by options:
//
//	VpcId *string `wire:"VpcId,out=vpcId,required"`
//
//	out=x              the name in answers, if it is another (ec2Query)
//	item=x             the element of a list in XML, and in requests of awsQuery; if absent, "item" in
//	                   ec2Query and "member" in awsQuery
//	flat               a list without an element around it
//	header, headers    the member is a header; all headers with the name as prefix (restJson1)
//	uri, query         it is a label of the path; a parameter of the query (restJson1)
//	status, payload    it is the status of the answer; the whole body (restJson1)
//	required           requests without it are refused
//	min=n, max=n       limits of a length, of a list's size or of a number
//	time=f             iso8601, unixTimestamp or rfc822 where it is not the protocol's own form
package wire
