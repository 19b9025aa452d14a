// Runs a Node.js function: asks the Runtime API for events and calls the handler. Built-in modules only.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import util from 'node:util';
import { Writable } from 'node:stream';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const env = process.env;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(':');
const framesFD = Number(env._LAMBDA_TELEMETRY_LOG_FD || 0);
delete env._LAMBDA_TELEMETRY_LOG_FD;
let requestID;

function api(method, what, body, headers = {}) {
  const options = { host, port, agent, method, path: `/2018-06-01/runtime/${what}`, headers };
  if (body !== undefined) options.headers['Content-Length'] = Buffer.byteLength(body);
  return new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

// --- log: one frame is one event, however many lines it has ---

function writeAll(fd, data) {
  for (let done = 0; done < data.length;) {
    try {
      done += fs.writeSync(fd, data, done);
    } catch (e) {
      if (e.code !== 'EAGAIN') throw e;
    }
  }
}

const inJSON = env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
const order = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const least = inJSON ? order.indexOf(env.AWS_LAMBDA_LOG_LEVEL) : 0;

// An object that is logged alone stays one; so does an error.
function structured(level, args) {
  const out = { timestamp: new Date().toISOString(), level, requestId: requestID };
  const error = args.find((a) => util.types.isNativeError(a));
  out.message = args.length === 1 && typeof args[0] === 'object' && !error ? args[0] : util.format(...args);
  if (error) Object.assign(out, { errorType: error.name, errorMessage: error.message, stackTrace: (error.stack || '').split('\n') });
  try {
    return JSON.stringify(out);
  } catch {
    return JSON.stringify({ ...out, message: util.format(...args) });
  }
}

function log(level, message, json) {
  if (order.indexOf(level) < least) return undefined;
  const line = inJSON ? (json ?? structured(level, [message])) : `${new Date().toISOString()}\t${requestID}\t${level}\t${message}`;
  if (!framesFD) return writeAll(1, Buffer.from(line.replaceAll('\n', '\r') + '\n'));
  const text = Buffer.from(line + '\n');
  const head = Buffer.alloc(16);
  head.writeUInt32BE(0xa55a0003, 0);
  head.writeUInt32BE(text.length, 4);
  head.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
  writeAll(framesFD, Buffer.concat([head, text]));
}

const levels = { trace: 'TRACE', debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' };
for (const [method, level] of Object.entries(levels)) {
  console[method] = (...args) => log(level, util.format(...args), inJSON ? structured(level, args) : undefined);
}

// --- errors ---

class RuntimeError extends Error {
  constructor(kind, reason) {
    super(reason instanceof Error ? reason.message : String(reason));
    this.name = `Runtime.${kind}`;
    if (reason instanceof Error) this.stack = `${this.name}: ${reason.stack}`;
  }
}

const isError = (e) => util.types.isNativeError(e) || Boolean(e && e.name && e.message && e.stack);

// The error as the function's caller sees it. Anything can be thrown.
function toPayload(e) {
  if (!isError(e)) return { errorType: e === null ? 'null' : typeof e, errorMessage: String(e), trace: [] };
  return { errorType: e.name, errorMessage: e.message, trace: (e.stack || '').split('\n') };
}

function logError(what, e) {
  const detail = isError(e)
    ? { errorType: e.name, errorMessage: e.message, ...e, stack: (e.stack || '').split('\n') }
    : toPayload(e);
  log('ERROR', `${what} \t${JSON.stringify(detail)}`);
}

function postError(where, e) {
  const payload = toPayload(e);
  return api('POST', where, JSON.stringify(payload), {
    'Content-Type': 'application/vnd.aws.lambda.error+json',
    'Lambda-Runtime-Function-Error-Type': payload.errorType,
  });
}

// Where an error that nobody catches goes: the initialization's at first, then the current invocation's.
let errorPath = 'init/error';

async function die(what, e, code) {
  logError(what, e);
  await postError(errorPath, e).catch(() => {});
  process.exit(code);
}
process.on('uncaughtException', (e) => die('Uncaught Exception', e, 129));
process.on('unhandledRejection', (reason) => {
  die('Unhandled Promise Rejection', new RuntimeError('UnhandledPromiseRejection', reason), 128);
});

// --- the handler ---

function isModule(file) {
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')).type === 'module';
    } catch {
      if (dir === path.dirname(dir)) return false;
    }
  }
}

async function loadModule(root, name) {
  const file = path.resolve(root, name);
  const require = createRequire(path.join(root, 'x.js'));
  try {
    if (fs.existsSync(`${file}.js`)) {
      return isModule(`${file}.js`) ? await import(pathToFileURL(`${file}.js`)) : require(`${file}.js`);
    }
    if (fs.existsSync(`${file}.mjs`)) return await import(pathToFileURL(`${file}.mjs`));
    if (fs.existsSync(`${file}.cjs`)) return require(`${file}.cjs`);
    return require(fs.existsSync(file) ? file : name);
  } catch (e) {
    if (e instanceof SyntaxError) throw new RuntimeError('UserCodeSyntaxError', e);
    if (e?.code === 'MODULE_NOT_FOUND' || e?.code === 'ERR_MODULE_NOT_FOUND') throw new RuntimeError('ImportModuleError', e);
    throw e;
  }
}

async function loadHandler(root, setting) {
  if (setting.includes('..')) {
    throw new RuntimeError('MalformedHandlerName', `'${setting}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const parts = path.basename(setting).match(/^([^.]*)\.(.+)$/);
  if (!parts) throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  const module = await loadModule(root, path.join(path.dirname(setting), parts[1]));
  const handler = parts[2].split('.').reduce((value, key) => value?.[key], module);
  if (!handler) throw new RuntimeError('HandlerNotFound', `${setting} is undefined or not exported`);
  if (typeof handler !== 'function') throw new RuntimeError('HandlerNotFound', `${setting} is not a function`);
  return handler;
}

const parsed = (header) => (header ? JSON.parse(header) : undefined);

// invoke resolves with { value } or { error } when the handler has finished in one of its three ways.
function invoke(handler, event, headers) {
  return new Promise((resolve) => {
    let waiting = false; // for the event loop to become empty, after a callback
    const deadline = Number(headers['lambda-runtime-deadline-ms']);
    const finish = (outcome) => {
      process.removeAllListeners('beforeExit');
      resolve(outcome);
    };
    const callback = (error, value) => {
      const outcome = error === null || error === undefined ? { value } : { error };
      if (!context.callbackWaitsForEmptyEventLoop) return finish(outcome);
      if (waiting) return;
      waiting = true;
      process.removeAllListeners('beforeExit');
      process.once('beforeExit', () => finish(outcome));
    };
    const context = {
      callbackWaitsForEmptyEventLoop: true,
      functionName: env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
      memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
      clientContext: parsed(headers['lambda-runtime-client-context']),
      identity: parsed(headers['lambda-runtime-cognito-identity']),
      invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
      awsRequestId: headers['lambda-runtime-aws-request-id'],
      getRemainingTimeInMillis: () => deadline - Date.now(),
      succeed: (value) => callback(null, value),
      fail: (error) => callback(error ?? 'handled'),
      done: callback,
    };
    // The event loop may run empty before the handler has finished; then it never will.
    process.once('beforeExit', () => {
      if (handler.constructor.name === 'AsyncFunction') {
        finish({ error: new RuntimeError('NodeJsExit', 'Function exited before promise was settled') });
      } else {
        finish({ value: null });
      }
    });
    try {
      const result = handler(event, context, callback);
      if (typeof result?.then === 'function') {
        result.then((value) => finish({ value }), (error) => finish({ error: error ?? 'handled' }));
      }
    } catch (error) {
      finish({ error: error ?? 'handled' });
    }
  });
}

async function answer(handler, next) {
  requestID = next.headers['lambda-runtime-aws-request-id'];
  const trace = next.headers['lambda-runtime-trace-id'];
  if (trace) env._X_AMZN_TRACE_ID = trace;
  else delete env._X_AMZN_TRACE_ID;
  errorPath = `invocation/${requestID}/error`;
  const event = JSON.parse(next.body.toString());
  if (handler[streams]) {
    await answerInStream(handler, event, next.headers);
    return;
  }
  const outcome = await invoke(handler, event, next.headers);
  let text;
  if (!('error' in outcome)) {
    try {
      text = JSON.stringify(outcome.value) ?? 'null';
    } catch (e) {
      outcome.error = e;
    }
  }
  if ('error' in outcome) {
    logError('Invoke Error', outcome.error);
    await postError(errorPath, outcome.error);
  } else {
    await api('POST', `invocation/${requestID}/response`, text, { 'Content-Type': 'application/json' });
  }
}

// --- responses that go out while they are made ---

const streams = Symbol('streams');
const errorTrailers = ['Lambda-Runtime-Function-Error-Type', 'Lambda-Runtime-Function-Error-Body'];

class ResponseStream extends Writable {
  #contentType = 'application/octet-stream';
  #request;
  #prelude;

  constructor() {
    super({ highWaterMark: 64 << 10 });
    this.answered = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.answered.catch(() => {});
  }

  setContentType(type) { this.#contentType = type; }

  setPrelude(metadata) {
    this.#contentType = 'application/vnd.awslambda.http-integration-response';
    this.#prelude = Buffer.concat([Buffer.from(JSON.stringify(metadata)), Buffer.alloc(8)]);
  }

  get begun() { return this.#request !== undefined; }

  begin() {
    if (this.#request) return this.#request;
    const headers = {
      'Content-Type': this.#contentType, 'Lambda-Runtime-Function-Response-Mode': 'streaming',
      'Transfer-Encoding': 'chunked', Trailer: errorTrailers.join(', '),
    };
    this.#request = http.request({ host, port, agent, method: 'POST', path: `/2018-06-01/runtime/invocation/${requestID}/response`, headers }, (response) => {
      response.resume();
      response.on('end', this.resolve);
    });
    this.#request.on('error', (e) => { this.reject(e); this.destroy(e); });
    this.#request.flushHeaders();
    if (this.#prelude) this.#request.write(this.#prelude);
    return this.#request;
  }

  _write(chunk, encoding, done) {
    const data = typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk);
    this.begin().write(data, encoding === 'buffer' ? undefined : encoding, done);
  }

  _final(done) { this.begin().end(done); }

  fail(e) {
    const payload = toPayload(e);
    this.begin().addTrailers({
      [errorTrailers[0]]: payload.errorType, [errorTrailers[1]]: Buffer.from(JSON.stringify(payload)).toString('base64'),
    });
    this.#request.end();
  }
}

async function answerInStream(handler, event, headers) {
  const stream = new ResponseStream();
  const finished = new Promise((resolve, reject) => stream.once('finish', resolve).once('error', reject));
  finished.catch(() => {});
  const outcome = await invoke(Object.assign(async (e, context) => {
    delete context.succeed; delete context.fail; delete context.done;
    await handler(e, stream, context);
    if (!stream.writableEnded) await finished; // as on AWS, a stream that is never ended waits for its time to run out
  }, {}), event, headers);
  if ('error' in outcome) {
    logError('Invoke Error', outcome.error);
    if (!stream.begun) return postError(errorPath, outcome.error);
    stream.fail(outcome.error);
  } else {
    await finished;
  }
  return stream.answered;
}

globalThis.awslambda = {
  streamifyResponse: (handler) => Object.assign(handler, { [streams]: true }),
  HttpResponseStream: { from: (stream, metadata) => { stream.setPrelude(metadata); return stream; } },
};
let handler;
try {
  handler = await loadHandler(env.LAMBDA_TASK_ROOT, env._HANDLER);
} catch (e) {
  await die('Uncaught Exception', e, 129);
}
for (;;) await answer(handler, await api('GET', 'invocation/next'));
