"""Runs a Python function: asks the Runtime API for events and calls the handler.

Only the standard library, as little of it as possible, and only what Python 3.6 has: this module's imports
are part of every cold start. So it speaks HTTP on a bare socket and leaves logging until somebody needs it.
"""
import json
import os
import sys
import time

import _socket  # the module around it costs several milliseconds

_API = "/2018-06-01/runtime/"
_SDK = "/var/sdk/python"
_NBSP = "\u00a0"
_INFO, _ERROR = 0xA55A000F, 0xA55A0017

_request_id = None
_log = None


class _Api(object):
    """A client of the Runtime API on one kept connection."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.host = address
        self.sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self.sock.connect((host, int(port)))
        self.sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self.rest = b""

    def get(self, path):
        self.sock.sendall(self._head("GET", path, []))
        return self._receive()

    def post(self, path, body, headers):
        headers = headers + [("Content-Length", str(len(body)))]
        self.sock.sendall(self._head("POST", path, headers) + body)
        return self._receive()

    def _head(self, method, path, headers):
        lines = ["%s %s%s HTTP/1.1" % (method, _API, path), "Host: " + self.host]
        lines += ["%s: %s" % h for h in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _receive(self):
        data = self.rest
        while b"\r\n\r\n" not in data:
            data += self._more(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        missing = int(headers.get("content-length", 0)) - len(body)
        parts = [body]
        while missing > 0:
            parts.append(self._more(min(missing, 1 << 20)))
            missing -= len(parts[-1])
        self.rest = b""
        return headers, b"".join(parts)

    def _more(self, size):
        data = self.sock.recv(size)
        if not data:
            raise OSError("the Runtime API closed the connection")
        return data


class _Log(object):
    """Log records that may have several lines, framed so that each stays one event."""

    def __init__(self):
        fd = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
        self.fd = None if fd is None else int(fd)

    def write(self, text, kind=_INFO):
        if self.fd is None:
            sys.stdout.write(text.replace("\n", "\r").rstrip("\r") + "\n")
            return
        data = text.encode("utf-8", "replace")
        head = kind.to_bytes(4, "big") + len(data).to_bytes(4, "big") + int(time.time() * 1e6).to_bytes(8, "big")
        data = head + data
        while data:
            data = data[os.write(self.fd, data):]


class _Fault(Exception):
    """A failure that the runtime names, rather than an exception of the function."""

    def __init__(self, kind, message, trace=()):
        Exception.__init__(self, message)
        self.kind, self.trace = kind, list(trace)


def _plain(name, fields):
    """A class whose instances have these attributes and nothing else, as AWS documents them."""
    def init(self, values=None):
        for f in fields:
            setattr(self, f, (values or {}).get(f))
    return type(name, (object,), {"__slots__": fields, "__init__": init})


CognitoIdentity = _plain("CognitoIdentity", ["cognito_identity_id", "cognito_identity_pool_id"])
Client = _plain("Client", ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"])
ClientContext = _plain("ClientContext", ["custom", "env", "client"])


class LambdaContext(object):
    """What a handler gets as its second argument."""

    def __init__(self, headers):
        env = os.environ.get
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.function_name = env("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = env("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = env("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = env("AWS_LAMBDA_LOG_STREAM_NAME")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self.identity = CognitoIdentity()
        self.client_context = None
        sent = headers.get("lambda-runtime-client-context")
        if sent:
            values = json.loads(sent)
            self.client_context = ClientContext(values)
            self.client_context.client = Client(values.get("client"))
        self._deadline = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        _log.write(str(message))


class _WhenLogging(object):
    """Puts our handler on the root logger at the moment that somebody imports logging."""

    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                break
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            _set_up_logging(module)

        spec.loader.exec_module = exec_module
        return spec


_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40, "FATAL": 50}


def _in_json():
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"


def _json_formatter(logging):
    standard = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "aws_request_id"}

    class Formatter(logging.Formatter):
        converter = time.gmtime

        def format(self, record):
            out = {"timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"), "level": record.levelname,
                   "message": record.getMessage(), "logger": record.name}
            if record.exc_info:
                import traceback
                kind, value, frames = record.exc_info
                out["stackTrace"] = traceback.format_list(traceback.extract_tb(frames))
                out["errorType"], out["errorMessage"] = kind.__name__, str(value)
                out["location"] = "%s:%s:%s" % (record.pathname, record.funcName, record.lineno)
            for key, value in vars(record).items():
                if key not in standard and key not in out:
                    out[key] = value
            if record.aws_request_id:
                out["requestId"] = record.aws_request_id
            return json.dumps(out, default=str, ensure_ascii=False) + "\n"

    return Formatter()


def _set_up_logging(logging):
    class Handler(logging.Handler):
        def emit(self, record):
            try:
                record.aws_request_id = _request_id
                _log.write(self.format(record))
            except Exception:
                self.handleError(record)

    formatter = _json_formatter(logging) if _in_json() else logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = Handler()
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
    if _in_json():
        logging.getLogger().setLevel(_LEVELS.get(os.environ.get("AWS_LAMBDA_LOG_LEVEL"), 20))


def _load(name):
    """The function that a handler setting such as "package/module.function" names."""
    module, dot, function = name.rpartition(".")
    if not dot:
        raise _Fault("Runtime.MalformedHandlerName",
                     "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name)
    if module.split(".")[0] in sys.builtin_module_names:
        raise _Fault("Runtime.BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module)
    from importlib import import_module
    try:
        loaded = import_module(module.replace("/", "."))
    except ImportError as e:
        raise _Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module, e))
    except SyntaxError as e:
        where = '  File "%s" Line %s\n    %s' % (e.filename, e.lineno, e.text)
        raise _Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module, e), [where])
    try:
        return getattr(loaded, function)
    except AttributeError:
        raise _Fault("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function, module))


def _describe(request_id):
    """The exception being handled, as the caller of the function sees it."""
    kind, value, frames = sys.exc_info()
    if isinstance(value, _Fault):
        name, trace = value.kind, value.trace
    else:
        import traceback
        entries = traceback.extract_tb(frames)
        # The frames of this module and of the import machinery it called are of no interest.
        first = 0
        while first < len(entries) and (entries[first][0] == __file__ or "importlib" in entries[first][0]):
            first += 1
        name, trace = kind.__name__, traceback.format_list(entries[first:])
    out = {"errorMessage": str(value), "errorType": name}
    if os.environ.get("AWS_EXECUTION_ENV") != "AWS_Lambda_python3.8":
        out["requestId"] = request_id
    out["stackTrace"] = trace
    return out


def _log_failure(error):
    if _in_json():
        out = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "log_level": "ERROR"}
        out.update(error)
        _log.write(json.dumps(out) + "\n", _ERROR)
        return
    lines = ["[ERROR] %s: %s" % (error["errorType"], error["errorMessage"]), "Traceback (most recent call last):"]
    for entry in error["stackTrace"]:
        for line in entry.splitlines():
            text = line.lstrip(" ")
            # Leading spaces would be lost in the console.
            lines.append(_NBSP * (len(line) - len(text)) + text)
    _log.write("\n".join(lines), _ERROR)


def _send_failure(api, path, error):
    _log_failure(error)
    api.post(path, json.dumps(error).encode(), [
        ("Content-Type", "application/vnd.aws.lambda.error+json"),
        ("Lambda-Runtime-Function-Error-Type", error["errorType"])])


def _encode(value):
    """JSON of a handler's result. Decimal, which DynamoDB gives, is a number with all of its digits."""
    numbers = {}

    def default(o):
        import decimal
        if not isinstance(o, decimal.Decimal):
            raise TypeError("Object of type %s is not JSON serializable" % type(o).__name__)
        if o.is_nan():
            return float("nan")
        mark = "%s-%d" % (os.urandom(12).hex(), len(numbers))
        numbers[mark] = str(o)
        return mark

    try:
        text = json.dumps(value, default=default, ensure_ascii=sys.version_info < (3, 12))
    except Exception as e:
        raise _Fault("Runtime.MarshalError", "Unable to marshal response: %s" % e)
    for mark in numbers:
        text = text.replace('"%s"' % mark, numbers[mark])
    return text.encode("utf-8", "replace")


def _invoke(handler, headers, body):
    try:
        event = json.loads(body.decode("utf-8"))
    except Exception as e:
        raise _Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % e)
    result = handler(event, LambdaContext(headers))
    if isinstance(result, bytes):
        return result, "application/unknown"
    return _encode(result), "application/json"


def _set_up_path():
    here = os.path.dirname(os.path.abspath(__file__))
    rest = [p for p in sys.path if p != here]
    version = "python%d.%d" % sys.version_info[:2]
    wanted = os.environ.get("AWS_EXECUTION_ENV", "").replace("AWS_Lambda_", "")
    layers = ["/opt/python/lib/%s/site-packages" % v for v in ([version] if wanted in ("", version) else [wanted, version])]
    sys.path[:] = [os.environ["LAMBDA_TASK_ROOT"]] + layers + ["/opt/python", here] + rest + [_SDK]


def main():
    global _log, _request_id
    _log = _Log()
    _set_up_path()
    if "logging" in sys.modules:
        _set_up_logging(sys.modules["logging"])
    else:
        sys.meta_path.insert(0, _WhenLogging())
    api = _Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = _load(os.environ["_HANDLER"])
    except Exception:
        _send_failure(api, "init/error", _describe(""))
        sys.exit(1)
    while True:
        headers, body = api.get("invocation/next")
        _request_id = request_id = headers["lambda-runtime-aws-request-id"]
        if headers.get("lambda-runtime-trace-id"):
            os.environ["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
        try:
            answer, kind = _invoke(handler, headers, body)
        except Exception:
            _send_failure(api, "invocation/%s/error" % request_id, _describe(request_id))
        else:
            api.post("invocation/%s/response" % request_id, answer, [("Content-Type", kind)])
