"""Starts the emulator with a clean environment, and repairs what README.md lists.

    launcher.py [--port N] [--with-parent] [--iam]

--port         the port on 127.0.0.1; 0, the default, takes a free one
--with-parent  ends when standard input does, so that no test leaves an emulator behind
--iam          functions and users may do only what their policies say

The first line on standard output is the endpoint. The emulator may need another second to answer at /_ministack/health.
"""

import argparse
import atexit
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--with-parent", action="store_true")
    parser.add_argument("--iam", action="store_true")
    return parser.parse_args()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(port, iam):
    """Functions inherit the emulator's environment: what is missing in the template must not be there by chance."""
    scratch = tempfile.mkdtemp(prefix="squall-emulator-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    path = os.environ.get("PATH", os.defpath)
    os.environ.clear()
    os.environ.update(
        PATH=path,
        TMPDIR=scratch,
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        S3_DATA_DIR=os.path.join(scratch, "s3"),
        SFTP_ENABLED="0",
        COGNITO_EMAIL_ENABLED="0",
        LOG_LEVEL="WARNING",
    )
    if iam:
        os.environ["AUTH"] = "true"
    tempfile.tempdir = scratch


def end_with_parent():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    # Whoever still serves a request then has had a moment for it.
    threading.Event().wait(5)
    os._exit(1)


def repair():
    import socketserver

    # Nagle's algorithm and delayed acknowledgements would add 40 ms to every answer of a function.
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True

    from ministack.core import lambda_runtime

    # A function that logs nothing would be waited for, 50 ms each time, in case it still does.
    for kind in vars(lambda_runtime).values():
        drain = isinstance(kind, type) and vars(kind).get("_drain_stderr_bounded")
        if drain:
            drain.__defaults__ = (0.0, 0.005, 0.25)

    from ministack.services import lambda_svc

    # A number that came by a parameter of a template is a text here, and no batch would be taken.
    limit = lambda_svc._sqs_esm_concurrency

    def as_number(esm, *rest, **named):
        scaling = esm.get("ScalingConfig") or {}
        if isinstance(scaling.get("MaximumConcurrency"), str):
            scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
        return limit(esm, *rest, **named)

    lambda_svc._sqs_esm_concurrency = as_number
    repair_policies()
    # Beside this file.
    import state_machines

    state_machines.repair()


def repair_policies():
    """What AWS asks a policy for, where the emulator asks for something else."""
    import json

    from ministack.core import iam_actions

    action_of, resource_of = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    def action(*request, **named):
        # There is no action for a batch: who may send one message may send ten.
        found = action_of(*request, **named)
        return found.removesuffix("Batch") if found and found.startswith("sqs:") else found

    def resource(service, method, path, headers, body, query, region, account, *rest, **named):
        found = resource_of(service, method, path, headers, body, query, region, account, *rest, **named)
        if service != "events":
            return found
        # A rule of the default bus has no bus in its name, and the targets' requests call it by another field.
        fields = json.loads(body or b"{}")
        if "Rule" in fields and fields.get("EventBusName", "default") == "default":
            return f"arn:aws:events:{region}:{account}:rule/{fields['Rule']}"
        return found.replace(":rule/default/", ":rule/")

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = action, resource


def main():
    options = arguments()
    port = options.port or free_port()
    clean_environment(port, options.iam)
    print(os.environ["AWS_ENDPOINT_URL"], flush=True)
    # From here on standard output belongs to the emulator's log.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if options.with_parent:
        threading.Thread(target=end_with_parent, daemon=True).start()
    repair()
    sys.argv = sys.argv[:1]
    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
