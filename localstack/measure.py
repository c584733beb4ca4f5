"""What the functions weigh and how fast they start: for docs/performance.md.

    measure.py --binaries target/release [--starts 40] [--rules 1000]

Wants a stack that localstack/up has deployed. Each function is started again and again against a runtime API of our own, with the environment
that it has in the stack: "init" is from the start of the process until it asks for work, "first event" from there until it has answered the
first event. Then deliveries are sent to a webhook, to see how many chains a second come through. Of the emulator's time nothing is taken off.
"""

import argparse
import concurrent.futures
import http.server
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

import boto3
import yaml

import deploy

RULE = """name: r{n}
pack: measured
enabled: true
trigger: {{type: core.st2.webhook, parameters: {{url: measured}}}}
criteria:
  trigger.body.host: {{type: equals, pattern: "host-{n}"}}
  trigger.body.severity: {{type: greaterthan, pattern: 3}}
action: {{ref: core.noop}}
"""
NOBODY = "0" * 24
EMULATOR = {
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ.get('SQUALL_EMULATOR_PORT', 4566)}",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--binaries", type=pathlib.Path, required=True)
    parser.add_argument("--stack", default="squall")
    parser.add_argument("--profile", default="local")
    parser.add_argument("--starts", type=int, default=40)
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--chains", type=int, default=300)
    return parser.parse_args()


def profile(name):
    home = pathlib.Path(os.environ.get("XDG_CONFIG_HOME") or pathlib.Path.home() / ".config")
    return yaml.safe_load((home / "squall/profiles.yaml").read_text())[name]


def upload_rules(squall, options):
    with tempfile.TemporaryDirectory() as folder:
        pack = pathlib.Path(folder) / "measured"
        (pack / "rules").mkdir(parents=True)
        (pack / "pack.yaml").write_text("name: measured\nref: measured\ndescription: rules to measure with\nversion: 1.0.0\nauthor: squall\nemail: squall@example.com\n")
        for n in range(options.rules):
            (pack / f"rules/r{n}.yaml").write_text(RULE.format(n=n))
        subprocess.run([squall, "--profile", options.profile, "pack", "upload", pack], check=True, stdout=subprocess.DEVNULL)


def message(body):
    return {"Records": [{"messageId": "m", "receiptHandle": "r", "body": json.dumps(body), "attributes": {}, "messageAttributes": {},
                         "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q", "awsRegion": "us-east-1"}]}


def wake(partition):
    return message({"layout": 1, "key": {"partition": partition, "sort": "record"}})


def events(key):
    """An event for each function that makes it do its usual work, as far as that leaves nothing behind."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    trigger = {"type": "core.st2.webhook", "parameters": {"url": "measured"}}
    payload = {"headers": {}, "headers_lower": {}, "body": {"host": "host-none", "severity": 5}}
    def delivery():
        n = f"{time.time_ns():024x}"
        data = {"id": n, "trigger": trigger, "payload": payload, "occurrence_time": time.time_ns() // 1_000_000, "trace": {"id": n, "tag": "measured"}}
        detail = {"specversion": "1.0", "id": n, "source": "squall", "type": trigger["type"], "time": now,
                  "datacontenttype": "application/json", "data": data}
        return message({"detail-type": trigger["type"], "source": "squall", "detail": detail})
    request = {"version": "2.0", "routeKey": "$default", "rawPath": "/api/v1/rules", "rawQueryString": "limit=1",
               "headers": {"st2-api-key": key, "host": "api"}, "isBase64Encoded": False,
               "requestContext": {"accountId": "0", "apiId": "a", "domainName": "api", "stage": "$default", "requestId": "r", "time": now,
                                  "timeEpoch": 0, "routeKey": "$default",
                                  "http": {"method": "GET", "path": "/api/v1/rules", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                                           "userAgent": "measure"}}}
    return {
        "api": lambda: request,
        "rules-engine": delivery,
        "action-runner": lambda: wake(f"execution/{NOBODY}"),
        "workflow-engine": lambda: wake(f"workflow/{NOBODY}"),
        "pack-registrar": lambda: message({"Service": "Amazon S3", "Event": "s3:TestEvent"}),
        "garbage-collector": lambda: {},
    }


class Runtime(http.server.ThreadingHTTPServer):
    """Lambda's runtime API, for one start of one function."""

    daemon_threads = True

    def handle_error(self, *_):
        """A function that is killed leaves its connection as it is."""

    def __init__(self, event):
        super().__init__(("127.0.0.1", 0), Calls)
        self.event = json.dumps(event).encode()
        self.asked = self.answered = None
        self.answer = b""
        self.done = threading.Event()


class Calls(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.server.asked is not None:
            self.server.done.wait()
            return
        self.server.asked = time.perf_counter()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "first")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 60) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:measured")
        self.send_header("Content-Length", str(len(self.server.event)))
        self.end_headers()
        self.wfile.write(self.server.event)

    def do_POST(self):
        self.server.answered = time.perf_counter()
        self.server.answer = self.rfile.read(int(self.headers["Content-Length"] or 0)) if "Content-Length" in self.headers else b""
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if self.path.endswith("/error"):
            self.server.answer = b"failed: " + self.server.answer
        self.server.done.set()


def start_once(binary, environment, event):
    runtime = Runtime(event)
    threading.Thread(target=runtime.serve_forever, daemon=True).start()
    clean = {"PATH": os.environ["PATH"], "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.server_port}", "AWS_LAMBDA_FUNCTION_NAME": "measured",
             "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_VERSION": "1", **environment,
             **EMULATOR}
    begun = time.perf_counter()
    process = subprocess.Popen([binary], env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    answered = runtime.done.wait(20)
    process.kill()
    said, _ = process.communicate()
    runtime.shutdown()
    if not answered or runtime.answer.startswith(b"failed: ") or b'batchItemFailures":[{' in runtime.answer:
        raise SystemExit(f"{binary}: {runtime.answer.decode()}\n{said.decode()}")
    return (runtime.asked - begun) * 1000, (runtime.answered - runtime.asked) * 1000


def chains(url, key, count):
    def send(n):
        body = json.dumps({"host": f"host-{n % 1_000}", "severity": 5}).encode()
        headers = {"St2-Api-Key": key, "Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/webhooks/measured", body, headers)).read()

    def ended():
        query = f"{url}/api/v1/executions?action=core.noop&status=succeeded&limit=-1&include_attributes=id"
        with urllib.request.urlopen(urllib.request.Request(query, headers={"St2-Api-Key": key})) as answer:
            return len(json.load(answer))

    before, begun = ended(), time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(count)))
    while ended() < before + count:
        if time.perf_counter() - begun > 300:
            raise SystemExit(f"{ended() - before} of {count} chains came through within 300 s")
        time.sleep(0.2)
    return count / (time.perf_counter() - begun)


def main():
    options = arguments()
    os.environ.update(EMULATOR)
    told = profile(options.profile)
    squall = pathlib.Path(__file__).parent.parent / "target/debug/squall"
    upload_rules(squall, options)
    functions = boto3.client("lambda")
    stack = boto3.client("cloudformation").describe_stack_resources(StackName=options.stack)["StackResources"]
    names = [each["PhysicalResourceId"] for each in stack if each["ResourceType"] == "AWS::Lambda::Function"]
    environments = {}
    for name in names:
        configuration = functions.get_function_configuration(FunctionName=name)
        environments[name] = configuration["Environment"]["Variables"]
    print(f"{'function':18} {'zip':>8} {'init p50':>9} {'p90':>8} {'first event p50':>16} {'p90':>8}")
    for folder, event in events(told["api_key"]).items():
        own = next(name for name in names if folder.replace("-", "") in name.replace("-", "").lower())
        binary = options.binaries / folder
        size = len(deploy.archive(binary, level=9)) / 1e6
        starts = [start_once(binary, environments[own], event()) for _ in range(options.starts)]
        row = [statistics.quantiles(column, n=10) for column in zip(*starts)]
        print(f"{folder:18} {size:5.2f} MB {row[0][4]:6.1f} ms {row[0][8]:5.1f} ms {row[1][4]:13.1f} ms {row[1][8]:5.1f} ms")
    print(f"{chains(told['url'], told['api_key'], options.chains):.1f} chains a second: webhook, bus, rule, action, final status")


if __name__ == "__main__":
    main()
