package test

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// instance launches one with a script as its user data and waits until it runs:
//
//	instance VAR SCRIPT [NAME=VALUE...]    VAR becomes its id, VAR_IP its private address
func instance(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: instance VAR SCRIPT [NAME=VALUE...]")
	}
	data := base64.StdEncoding.EncodeToString([]byte(ts.ReadFile(args[1])))
	launch := append([]string{"ec2", "RunInstances", "ImageId=ami-0a12023000000c001", "InstanceType=t3.micro", "MinCount=1", "MaxCount=1", "UserData=" + data}, args[2:]...)
	call(ts, false, append(launch, "->", args[0]+"=instanceId", args[0]+"_IP=privateIpAddress"))
	becomes(ts, false, []string{args[0], "running"})
}

// becomes waits for a state of an instance: becomes VAR STATE.
func becomes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: becomes VAR STATE")
	}
	var state string
	for range 200 {
		ctx, cancel := limit()
		body, err := of(ts).client.QueryRaw(ctx, "ec2", "DescribeInstances", "InstanceId.1", ts.Getenv(args[0]), "Filter.1.Name", "instance-state-name", "Filter.1.Value.1", args[1])
		cancel()
		ts.Check(err)
		if id, ok := first(body, "instanceId"); ok && id == ts.Getenv(args[0]) {
			return
		}
		state = oneLine(body)
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("instance %s is not %s after 10 s: %s", ts.Getenv(args[0]), args[1], state)
}

// console waits until what an instance wrote matches: console VAR PATTERN. All of it is stdout then.
func console(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: console VAR PATTERN")
	}
	pattern := regexp.MustCompile("(?m)" + args[1])
	var written []byte
	for range 400 {
		written = consoleOf(ts, ts.Getenv(args[0]))
		if pattern.Match(written) {
			fmt.Fprint(ts.Stdout(), string(written))
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("the console does not match %s after 20 s:\n%s", args[1], written)
}

func consoleOf(ts *testscript.TestScript, id string) []byte {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	body, err := of(ts).client.QueryRaw(ctx, "ec2", "GetConsoleOutput", "InstanceId", id)
	ts.Check(err)
	text, _ := first(body, "output")
	written, err := base64.StdEncoding.DecodeString(text)
	ts.Check(err)
	return written
}
