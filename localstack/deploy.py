"""Deploys a SAM template without the SAM command line: binaries to S3, the template to CloudFormation.

    deploy.py --template infra/template.yaml --binaries target/debug [--stack squall] [--parameter Name=Value]...

A function whose CodeUri ends in <name>/ gets the binary of that name as its bootstrap. Where to deploy, and in whose name, comes from
AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION. Prints the stack's outputs as JSON.
"""

import argparse
import hashlib
import io
import json
import pathlib
import sys
import time
import zipfile

import boto3
import botocore.exceptions
import yaml

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 300
# A bootstrap that may be executed, and a time that makes equal binaries equal archives.
EXECUTABLE = 0o100755 << 16
EPOCH = (1980, 1, 1, 0, 0, 0)


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, which JSON has no way to write."""


def short_form(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    construct = loader.construct_sequence if isinstance(node, yaml.SequenceNode) else loader.construct_mapping
    return {name: construct(node, deep=True)}


Template.add_multi_constructor("!", short_form)
# A version is a date to YAML, and a text to CloudFormation.
Template.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--template", type=pathlib.Path, required=True)
    parser.add_argument("--binaries", type=pathlib.Path, required=True)
    parser.add_argument("--stack", default="squall")
    parser.add_argument("--parameter", action="append", default=[])
    return parser.parse_args()


def archive(binary, level=1):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as target:
        entry = zipfile.ZipInfo("bootstrap", EPOCH)
        entry.external_attr = EXECUTABLE
        entry.compress_type = zipfile.ZIP_DEFLATED
        target.writestr(entry, binary.read_bytes())
    return content.getvalue()


def upload_code(template, binaries, bucket):
    """Puts each function's binary into the bucket, under its digest, and says so in the template."""
    s3 = boto3.client("s3", config=boto3.session.Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket=bucket)
    uploaded = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        folder = pathlib.PurePosixPath(resource["Properties"]["CodeUri"]).name
        binary = binaries / folder
        if not binary.is_file():
            sys.exit(f"function {name} needs {binary}: build it first")
        if folder not in uploaded:
            content = archive(binary)
            key = f"{folder}/{hashlib.sha256(content).hexdigest()}.zip"
            s3.put_object(Bucket=bucket, Key=key, Body=content)
            uploaded[folder] = key
        resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": uploaded[folder]}


def put_stack(cloudformation, name, template_url, parameters):
    request = dict(
        StackName=name,
        TemplateURL=template_url,
        Parameters=[dict(zip(("ParameterKey", "ParameterValue"), each.split("=", 1))) for each in parameters],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        cloudformation.describe_stacks(StackName=name)
    except botocore.exceptions.ClientError:
        cloudformation.create_stack(**request)
        return
    try:
        cloudformation.update_stack(**request)
    except botocore.exceptions.ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise


def upload_template(template, bucket):
    """A template of more than 51,200 bytes can't be sent along."""
    content = json.dumps(template, separators=(",", ":")).encode()
    key = f"template/{hashlib.sha256(content).hexdigest()}.json"
    s3 = boto3.client("s3", config=boto3.session.Config(s3={"addressing_style": "path"}))
    s3.put_object(Bucket=bucket, Key=key, Body=content)
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def wait(cloudformation, name):
    for _ in range(int(PATIENCE_SECONDS / POLL_SECONDS)):
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        status = stack["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        if not status.endswith("_IN_PROGRESS"):
            events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
            reasons = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
            for event in reasons:
                print(event["LogicalResourceId"], event.get("ResourceStatusReason"), file=sys.stderr)
            sys.exit(f"stack {name} is {status}: {stack.get('StackStatusReason', 'the reasons are above')}")
        time.sleep(POLL_SECONDS)
    sys.exit(f"stack {name} is not ready after {PATIENCE_SECONDS} s")


def main():
    options = arguments()
    template = yaml.load(options.template.read_text(), Template)
    # Names of buckets are the whole world's.
    bucket = f"{options.stack}-code-{boto3.client('sts').get_caller_identity()['Account']}"
    upload_code(template, options.binaries, bucket)
    cloudformation = boto3.client("cloudformation")
    put_stack(cloudformation, options.stack, upload_template(template, bucket), options.parameter)
    json.dump(wait(cloudformation, options.stack), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
