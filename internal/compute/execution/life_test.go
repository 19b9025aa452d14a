package execution

import (
	"testing"
)

func TestAFunctionAnswers(t *testing.T) {
	f := newFixture(t)
	r := f.call(t, f.goFunction(t), `{"Do":"echo","Text":"hello"}`)
	t.Logf("%s %+v\n%s", r.Payload, r, f.journal.take())
	write(t, f.dir+"/py/app.py", "def handler(event, context):\n    print('hi', event)\n    return {'a': event}\n")
	r = f.call(t, function("py", "python3.9", "app.handler"), `{"x":1}`)
	t.Logf("%s %+v\n%s", r.Payload, r, f.journal.take())
	write(t, f.dir+"/py2/app.py", "import boto3\ndef handler(event, context):\n    print('hi', event)\n    return boto3.__version__\n")
	r = f.call(t, function("py2", "python3.9", "app.handler"), `{"x":1}`)
	t.Logf("%s %+v\n%s", r.Payload, r, f.journal.take())
}
