package execution

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const jsonFormat = "JSON"

// What Lambda itself logs has a level only in JSON. See the Lambda guide, "System log level event mapping".
const (
	levelDebug = iota
	levelInfo
	levelWarn
)

func systemLevel(name string) int {
	switch name {
	case "DEBUG":
		return levelDebug
	case "WARN":
		return levelWarn
	}
	return levelInfo
}

// logged is what happened to a phase: success, error or timeout, and of an error its type.
func logged(f *fault) (status, errorType string) {
	switch {
	case f == nil:
		return "success", ""
	case f.kind == timedOut:
		return "timeout", ""
	}
	return "error", f.kind
}

// platform logs an event of Lambda's own in JSON, if the function wants events of that level.
func (e *environment) platform(level int, kind string, record map[string]any) {
	if level < systemLevel(e.function.SystemLogLevel) {
		return
	}
	b, err := json.Marshal(struct {
		Time   string         `json:"time"`
		Type   string         `json:"type"`
		Record map[string]any `json:"record"`
	}{time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "platform." + kind, record})
	if err == nil {
		e.stream.print("%s\n", b)
	}
}

func (e *environment) inJSON() bool { return e.function.LogFormat == jsonFormat }

func (e *environment) logInitStart() {
	if !e.inJSON() {
		e.stream.print("INIT_START Runtime Version: %s\tRuntime Version ARN: %s\n", e.plan.Version, e.runtimeARN())
		return
	}
	e.platform(levelInfo, "initStart", map[string]any{
		"initializationType": e.reason, "phase": "init", "runtimeVersion": e.plan.Version, "runtimeVersionArn": e.runtimeARN(),
		"functionName": e.function.Name, "functionVersion": versionOf(e.function),
	})
}

// logInitReport tells of a phase that failed; in JSON also of one that did not.
func (e *environment) logInitReport(phase string, f *fault) {
	status, errorType := logged(f)
	if !e.inJSON() {
		if f == nil {
			return
		}
		if errorType != "" {
			status += "\tError Type: " + errorType
		}
		e.stream.print("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: %s\n", milliseconds(e.initTime), phase, status)
		return
	}
	level := levelDebug
	if f != nil {
		level = levelWarn
	} else if e.reason != onDemandStart {
		level = levelInfo
	}
	record := map[string]any{
		"initializationType": e.reason, "phase": phase, "status": status, "metrics": map[string]any{"durationMs": rounded(e.initTime)},
	}
	if errorType != "" {
		record["errorType"] = errorType
	}
	e.platform(level, "initReport", record)
}

func (e *environment) logStart(requestID string) {
	if !e.inJSON() {
		e.stream.print("START RequestId: %s Version: %s\n", requestID, versionOf(e.function))
		return
	}
	e.platform(levelInfo, "start", map[string]any{"requestId": requestID, "version": versionOf(e.function)})
}

// logEnd tells of the end of an invocation and what it took.
func (e *environment) logEnd(inv Invocation, r *Result, f *fault) {
	if !e.inJSON() {
		e.stream.print("END RequestId: %s\n", inv.RequestID)
		e.stream.print("%s", e.report(inv, r, f))
		return
	}
	status, errorType := logged(f)
	metrics := map[string]any{
		"durationMs": rounded(r.Duration), "billedDurationMs": r.BilledMS, "memorySizeMB": e.function.MemorySize, "maxMemoryUsedMB": r.MaxMemoryMB,
	}
	if r.InitDuration > 0 {
		metrics["initDurationMs"] = rounded(r.InitDuration)
	}
	record := map[string]any{"requestId": inv.RequestID, "status": status, "metrics": metrics}
	done := map[string]any{"requestId": inv.RequestID, "status": status, "metrics": map[string]any{"durationMs": rounded(r.Duration)}}
	level, doneLevel := levelInfo, levelDebug
	if f != nil {
		level, doneLevel = levelWarn, levelWarn
	}
	if errorType != "" {
		record["errorType"], done["errorType"] = errorType, errorType
	}
	e.platform(doneLevel, "runtimeDone", done)
	e.platform(level, "report", record)
}

// rounded is a duration in milliseconds with three digits behind the point.
func rounded(d time.Duration) json.Number { return json.Number(fmt.Sprintf("%.3f", milliseconds(d))) }

// applicationLevels are in rising order.
var applicationLevels = []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}

func applicationLevel(name string) int {
	name = strings.ToUpper(name)
	if name == "WARNING" {
		name = "WARN"
	}
	if name == "CRITICAL" {
		name = "FATAL"
	}
	for i, l := range applicationLevels {
		if l == name {
			return i
		}
	}
	return -1
}

// wanted reports whether a function's own line is to be logged. Only lines in JSON that tell their level are left
// out: of others nobody knows.
func (s *stream) wanted(line string) bool {
	if s.least <= 0 || !strings.HasPrefix(line, "{") {
		return true
	}
	var told struct{ Level string }
	if json.Unmarshal([]byte(line), &told) != nil {
		return true
	}
	level := applicationLevel(told.Level)
	return level < 0 || level >= s.least
}
