package lambda

import "testing"

func TestLogsInJSONHaveLevels(t *testing.T) {
	b := newBench(t)
	made := b.create("f", func(in *CreateFunctionInput) {
		in.LoggingConfig = &LoggingConfig{LogFormat: ptr("JSON"), ApplicationLogLevel: ptr("DEBUG"), LogGroup: ptr("mine")}
	})
	c := made.LoggingConfig
	if *c.LogFormat != "JSON" || *c.ApplicationLogLevel != "DEBUG" || *c.SystemLogLevel != "INFO" || *c.LogGroup != "mine" {
		t.Errorf("got %v", c)
	}
	changed := must[UpdateFunctionConfigurationOutput](b, "UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{FunctionName: ptr("f"), LoggingConfig: &LoggingConfig{LogFormat: ptr("Text")}})
	if c := changed.LoggingConfig; *c.LogFormat != "Text" || c.ApplicationLogLevel != nil || c.SystemLogLevel != nil || *c.LogGroup != "mine" {
		t.Errorf("back to text: got %v", c)
	}
}
