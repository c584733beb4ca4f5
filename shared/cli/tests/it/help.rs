//! Help, usage, completion.

use super::harness::squall_in;
use insta::assert_snapshot;

async fn squall(arguments: &[&str]) -> String {
    squall_in(&[], arguments).await.text()
}

#[tokio::test]
async fn the_whole_is_explained() {
    assert_snapshot!(squall(&["-h"]).await, @"
    Event-driven automation: when this happens, and these criteria hold, then run that

    Usage: squall [OPTIONS] <COMMAND>

    Commands:
      up                Start the platform on this machine: durable, on one data directory, until Ctrl-C
      demo              See one alert go the whole way: a platform in a temporary directory, a webhook,
                        rules, an action, and the trail of it all
      run               Run an action and wait for what comes of it
      execution         Executions: what ran, and what came of it
      rule              Rules: when this trigger, and these criteria, then that action
      trigger           Trigger types, and events by hand
      trigger-instance  Events that came in
      rule-enforcement  What rules that matched got requested
      explain           Show the trail of an event: which rules saw it, why each did or did not match,
                        and what came of it
      action            Actions that can be run
      workflow          Workflows: checked, drawn, compiled, rehearsed
      pack              Packs: content, checked and registered
      inquiry           Inquiries: executions that wait for a person's answer
      policy            Policies: how many executions at once, how often, what is tried again
      key               The datastore: values by name
      timer             Timers that rules listen to
      webhook           Webhooks that rules listen to
      trace             Traces: all that came of one event
      dlq               Messages that a host on AWS could not handle
      profile           Hosts by name, with address and key
      completion        Print what a shell needs to complete squall's command lines

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Global options:
          --data <DIR>           The data directory [default: SQUALL_DATA, or squall in the XDG data
                                 directory]
          --url <URL>            The API's address [default: SQUALL_URL, ST2_API_URL, or the one that
                                 `squall up` left in the data directory]
          --profile <NAME>       A host that `squall profile add` made [default: SQUALL_PROFILE]
          --api-key-file <FILE>  A file that holds the API key [default: SQUALL_API_KEY, ST2_API_KEY, or
                                 the key in the data directory]
      -j, --json                 Print the API's JSON
      -y, --yaml                 Print the API's answer as YAML
          --no-color             No colours, as with NO_COLOR in the environment

    Examples:
      squall demo                              see one alert go the whole way
      squall up                                start the platform on this machine
      squall run core.local cmd=date           run an action and wait for it
      squall execution list --status failed    what went wrong lately
      squall explain last                      which rules saw the last event, and why

    Exit codes: 0 done; 1 an error, or the execution did not succeed; 2 the command line is wrong; 130
    interrupted.
    exit 0
    ");
}

#[tokio::test]
async fn a_command_is_explained_with_examples() {
    assert_snapshot!(squall(&["run", "-h"]).await, @r#"
    Run an action and wait for what comes of it

    Usage: squall run [OPTIONS] <ACTION> [PARAMETER]...

    Arguments:
      <ACTION>        The action's ref
      [PARAMETER]...  name=value, @name=path, or a command

    Options:
      -a, --async            Don't wait; print the execution's id
          --tail             Follow the output while it runs
      -e, --inherit-env      Give the action the variables of this shell
          --auto-dict        Read x:1,y:2 as an object where an array of objects is wanted
          --delay <MS>       Start it so many milliseconds from now
      -u, --user <USER>      Run it as this user (administrators only)
          --trace-tag <TAG>  A tag to find all that comes of it by
          --trace-id <ID>    The trace that it belongs to
      -h, --help             Print help

    Global options:
          --data <DIR>           The data directory [default: SQUALL_DATA, or squall in the XDG data
                                 directory]
          --url <URL>            The API's address [default: SQUALL_URL, ST2_API_URL, or the one that
                                 `squall up` left in the data directory]
          --profile <NAME>       A host that `squall profile add` made [default: SQUALL_PROFILE]
          --api-key-file <FILE>  A file that holds the API key [default: SQUALL_API_KEY, ST2_API_KEY, or
                                 the key in the data directory]
      -j, --json                 Print the API's JSON
      -y, --yaml                 Print the API's answer as YAML
          --no-color             No colours, as with NO_COLOR in the environment

    Parameters are cast by the action's schema:
      name=value               text, number or boolean
      list=a,b,c               an array: so, as JSON, or given several times
      map=k1=v1,k2=v2          an object: so, or as JSON
      @name=path               the content of a file
      word …                   "cmd": this word and all that follow

    Examples:
      squall run core.local date
      squall run core.local cmd='df -h' timeout=10
      squall run core.http url=https://example.org method=GET --json
      squall run demo.remediate host=db1 alert=HighCPU --tail
      squall run core.local -a -- sleep 60
    exit 0
    "#);
}

#[tokio::test]
async fn a_slip_is_recognised() {
    assert_snapshot!(squall(&["exection", "list"]).await, @"
    ! error: unrecognized subcommand 'exection'
    ! 
    !   tip: some similar subcommands exist: 'completion', 'action', 'execution'
    ! 
    ! Usage: squall [OPTIONS] <COMMAND>
    ! 
    ! For more information, try '--help'.
    exit 2
    ");
    assert_snapshot!(squall(&["rule", "list", "--pakc", "demo"]).await, @"
    ! error: unexpected argument '--pakc' found
    ! 
    !   tip: a similar argument exists: '--pack'
    ! 
    ! Usage: squall rule list --pack <PACK>
    ! 
    ! For more information, try '--help'.
    exit 2
    ");
}

#[tokio::test]
async fn every_command_has_examples() {
    for command in [
        "up",
        "demo",
        "run",
        "execution list",
        "execution get",
        "execution tail",
        "execution cancel",
        "execution re-run",
        "execution to-test",
        "workflow inspect",
        "workflow compile",
        "workflow graph",
        "workflow rehearse",
        "workflow simulate",
        "rule list",
        "rule get",
        "rule create",
        "rule update",
        "rule delete",
        "rule enable",
        "rule disable",
        "rule test",
        "trigger list",
        "trigger get",
        "trigger emit",
        "trigger-instance list",
        "trigger-instance get",
        "trigger-instance re-emit",
        "rule-enforcement list",
        "rule-enforcement get",
        "explain",
        "action list",
        "action get",
        "pack list",
        "pack get",
        "pack register",
        "pack validate",
        "key list",
        "key get",
        "key set",
        "key delete",
        "timer list",
        "webhook list",
        "trace list",
        "trace get",
        "completion",
    ] {
        let mut arguments: Vec<_> = command.split(' ').collect();
        arguments.push("--help");
        let done = squall_in(&[], &arguments).await;
        assert!(done.code == 0 && done.out.contains("Examples:\n  squall "), "{command}: {}", done.out);
    }
}

#[tokio::test]
async fn shells_complete() {
    for shell in ["bash", "zsh", "fish"] {
        let done = squall_in(&[], &["completion", shell]).await;
        assert!(done.code == 0 && done.out.contains("rule-enforcement"), "{shell}");
    }
}
