//! `squall workflow`.

use super::harness::{Host, directory, squall_in};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::path::Path;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs/examples");

fn example(path: &str) -> String {
    Path::new(EXAMPLES).canonicalize().unwrap().join(path).display().to_string()
}

async fn squall(arguments: &[&str]) -> super::harness::Done {
    squall_in(&[], arguments).await
}

/// Without the directory that the examples are in.
fn short(text: &str) -> String {
    text.replace(&example(""), "").replace(&example("").trim_end_matches('/').to_owned(), ".")
}

const WRONG: &str = "\
version: 1.0
input:
  - host
tasks:
  probe:
    action: core.loca cmd=date
    nxt: []
  ask:
    action: core.local
    input: {comand: date}
    next:
      - when: <% succeeded( %>
        do: repot
  report:
    action: elsewhere.report who=<% ctx().hosst %>
";

#[tokio::test]
async fn what_is_wrong_is_shown_with_its_line_and_how_to_mend_it() {
    let files = directory(&[("wrong.yaml", WRONG)]);
    let file = files.path().join("wrong.yaml").display().to_string();
    let done = squall(&["workflow", "inspect", &file]).await;
    assert_snapshot!(done.text().replace(&file, "wrong.yaml"), @r#"
    wrong.yaml:6:5: error[content]: The action "core.loca cmd=date" is not registered in the database. (tasks.probe.action)
      6 |     action: core.loca cmd=date
        |     ^
      help: texts in an input behind the action are quoted: pack.action name="text"

    wrong.yaml:7:5: error[syntax]: Additional properties are not allowed ('nxt' was unexpected) (tasks.probe)
      7 |     nxt: []
        |     ^
      help: did you mean "next"?

    wrong.yaml:10:5: error[content]: Action "core.local" is missing required input "cmd". (tasks.ask.input)
      10 |     input: {comand: date}
         |     ^
      help: give it under `input`: cmd: …

    wrong.yaml:10:5: error[content]: Action "core.local" has unexpected input "comand". (tasks.ask.input)
      10 |     input: {comand: date}
         |     ^

    wrong.yaml:12:9: error[expressions]: the expression ends too early (tasks.ask.next[0].when)
      12 |       - when: <% succeeded( %>
         |         ^

    wrong.yaml:13:9: error[semantics]: The task "repot" is not defined. (tasks.ask.next[0].do)
      13 |         do: repot
         |         ^
      help: did you mean "report"?

    wrong.yaml:14:3: error[context]: Variable "hosst" is referenced before assignment. (tasks.report.input)
      14 |   report:
         |   ^
      help: did you mean "host"?

    1 workflow: 7 errors
    ! note: the pack elsewhere is not near wrong.yaml: whether its actions are right is not known
    exit 1
    "#);
    let json = squall(&["workflow", "inspect", &file, "--json"]).await;
    let told: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told.pointer("/0/valid"), Some(&json!(false)));
    assert_eq!(json.code, 1);
}

#[tokio::test]
async fn all_examples_are_sound_and_compile() {
    let done = squall(&["workflow", "inspect", EXAMPLES]).await;
    assert_eq!((done.code, done.out.as_str(), done.error.as_str()), (0, "44 workflows: no errors\n", ""));
    let listed = squall(&["workflow", "inspect", EXAMPLES, "--json"]).await;
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    for workflow in listed.as_array().unwrap() {
        let file = workflow["workflow"].as_str().unwrap();
        for command in ["compile", "graph"] {
            let done = squall(&["workflow", command, file]).await;
            assert_eq!(done.code, 0, "{command} {file}: {}", done.error);
        }
    }
}

#[tokio::test]
async fn a_definition_says_where_its_states_come_from() {
    let file = example("actions/workflows/sequence.yaml");
    let done = squall(&["workflow", "compile", &file]).await;
    let definition: Value = serde_json::from_str(&done.out).unwrap();
    let states = definition["States"].as_object().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let tasks = states.iter().filter_map(|(name, state)| Some((name, state["Comment"].as_str()?)));
    let mut placed = 0;
    for (name, comment) in tasks.filter(|(_, comment)| comment.contains(".yaml:")) {
        let line: usize = comment.rsplit(':').next().unwrap().trim_end_matches(')').parse().unwrap();
        assert_eq!(text.lines().nth(line - 1).unwrap().trim(), format!("{name}:"), "{comment}");
        placed += 1;
    }
    assert!(placed > 1, "{definition:#}");
    let out = directory(&[]);
    let out = out.path().join("sequence.asl.json").display().to_string();
    assert_eq!(squall(&["workflow", "compile", &file, "--out", &out]).await.code, 0);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), done.out);
}

#[tokio::test]
async fn a_workflow_is_drawn() {
    let file = example("actions/workflows/fork_join.yaml");
    assert_snapshot!(short(&squall(&["workflow", "graph", &file]).await.text()), @"
    actions/workflows/fork_join.yaml

      1  start   core.noop
         ├─ succeeded() → disk
         ├─ succeeded() → load
         └─ succeeded() → name

      2  disk    examples.disk
         └─ succeeded() → report

         load    core.local
         └─ succeeded() → report

         name    core.echo
         └─ succeeded() → report

      3  report  core.echo  [join all 3]
         └─ succeeded() → continue
    exit 0
    ");
    let svg = squall(&["workflow", "graph", &file, "--format", "svg"]).await;
    assert!(svg.out.starts_with("<svg ") && svg.out.ends_with("</svg>\n"), "{}", svg.out);
}

#[tokio::test]
async fn the_rehearsals_of_the_examples_pass() {
    let mut files: Vec<String> = std::fs::read_dir(example("rehearsals"))
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    files.sort();
    let mut arguments = vec!["workflow", "rehearse"];
    arguments.extend(files.iter().map(String::as_str));
    assert_snapshot!(short(&squall(&arguments).await.text()), @"
    rehearsals/datastore.yaml  actions/workflows/datastore.yaml
      ✔ the region is read
        greet
      ✔ without the key it is nowhere
        greet
    rehearsals/expression_error.yaml  actions/workflows/expression_error.yaml
      ✔ the error says where the expression stands
        probe
    rehearsals/fork_join.yaml  actions/workflows/fork_join.yaml
      ✔ the report has what each branch published
        start → disk → load → name → report
      ✔ a branch that fails keeps the join from coming about
        start → disk ✘ → load → name
    rehearsals/loop.yaml  actions/workflows/loop.yaml
      ✔ as many rounds as there are batches
        start → drain → more → drain → more → close
      ✔ a batch that can't be drained ends it
        start → drain → more → drain ✘
    rehearsals/remediate_disk.yaml  actions/workflows/remediate_disk.yaml
      ✔ a full disk is mended once somebody says yes
        incident → diagnose → ask → fix → verify → report
      ✔ what is still full after three looks is reported
        incident → diagnose → ask → fix → verify → (after 1 s) verify ✘ → (after 1 s) verify → report
      ✔ nobody answers
        incident → diagnose → ask ✘ → report
    rehearsals/task_functions.yaml  actions/workflows/task_functions.yaml
      ✔ tasks are asked for what they gave
        far ✘ → near → report
    rehearsals/with_items_failing.yaml  actions/workflows/with_items_failing.yaml
      ✔ the hosts that can't be reached are counted
        probe ×2 ✘ → report
      ✔ where all can be reached there is nothing to report
        probe ×1
    13 cases: 13 passed
    exit 0
    ");
}

async fn rehearsed(rehearsal: &str) -> String {
    let files = directory(&[("flow.yaml", FLOW), ("test.yaml", rehearsal)]);
    let file = files.path().join("test.yaml").display().to_string();
    let done = squall(&["workflow", "rehearse", &file]).await;
    done.text().replace(&format!("{}/", files.path().display()), "")
}

const FLOW: &str = "\
version: 1.0
input: [hosts]
tasks:
  probe:
    with: host in <% ctx().hosts %>
    action: core.local cmd=<% item(host) %>
    next: [{when: <% succeeded() %>, publish: [{got: <% result().select($.stdout) %>}], do: say}]
  say:
    action: core.echo message=<% ctx().got.join(' ') %>
    retry: {count: 1, delay: 5}
    next: [{when: <% succeeded() %>, publish: [{said: <% result().stdout %>}]}]
output: [{said: <% ctx().said %>}]
";

#[tokio::test]
async fn a_rehearsal_tells_what_is_missing_and_what_is_different() {
    let case =
        |rest: &str| format!("workflow: flow.yaml\ncases:\n  - name: it speaks\n    input: {{hosts: [a, b]}}\n{rest}");
    let probe = "    tasks:\n      probe: {items: [{result: {stdout: x}}, {result: {stdout: y}}]}\n";
    assert_snapshot!(rehearsed(&case(&format!("{probe}    expect: {{status: succeeded}}\n"))).await, @r#"
    test.yaml  flow.yaml
      ✘ it speaks
        probe ×2 → say
        task say wants a result for its 1st run: core.echo with {"message":"x y"}; give it under `tasks`, such as say: {result: {…}}
    1 case: 0 passed, 1 failed
    exit 1
    "#);
    let said = "      say: [{status: failed}, {result: {stdout: xy}}]\n      sya: {result: {}}\n";
    assert_snapshot!(rehearsed(&case(&format!("{probe}{said}    expect: {{status: succeeded}}\n"))).await, @r#"
    test.yaml  flow.yaml
      ✘ it speaks
        results are given for "sya", and the workflow has no such task; did you mean "say"?
    1 case: 0 passed, 1 failed
    exit 1
    "#);
    let said = "      say: [{status: failed}, {result: {stdout: xy}}, {}]\n";
    let expect = "    expect: {status: failed, output: {said: x y}, tasks: [probe, say]}\n";
    assert_snapshot!(rehearsed(&case(&format!("{probe}{said}{expect}"))).await, @r#"
    test.yaml  flow.yaml
      ✘ it speaks
        probe ×2 → say ✘ → (after 5 s) say
        status
          expected "failed"
          became   "succeeded"
        output.said
          expected "x y"
          became   "xy"
        tasks
          expected ["probe","say"]
          became   ["probe","say","say"]
        line 8: task say: Execution failed. See result for details.
        given and not asked for: say: 1 of 3
    1 case: 0 passed, 1 failed
    exit 1
    "#);
    let one = "    tasks: {probe: {items: [{result: {stdout: x}}]}}\n    expect: {status: succeeded}\n";
    assert_snapshot!(rehearsed(&case(one)).await, @r#"
    test.yaml  flow.yaml
      ✘ it speaks
        probe ×1
        task probe wants a result for its 2nd item in its 1st run: core.local with {"cmd":"b"}; it is given 1
    1 case: 0 passed, 1 failed
    exit 1
    "#);
    assert_snapshot!(rehearsed(&case("    expect: {sttus: succeeded}\n")).await, @r#"
    ! error: test.yaml:3:5: in the case "it speaks": unknown field `sttus`, expected one of `status`, `output`, `errors`, `tasks`
    exit 2
    "#);
    assert_snapshot!(rehearsed("workflow: nowhere.yaml\ncases: [{name: a, expect: {status: failed}}]\n").await, @"
    ! error: test.yaml: there is no file nowhere.yaml
    ! hint: the workflow is named as seen from the rehearsal's file
    exit 2
    ");
    assert_snapshot!(rehearsed("workflow: flow.yaml\n").await, @r#"
    ! error: test.yaml:1:1: a rehearsal needs "cases", a list of at least one
    ! hint: cases: [{name: it works, tasks: {build: {result: {…}}}, expect: {status: succeeded}}]
    exit 2
    "#);
}

#[tokio::test]
async fn a_simulation_shows_that_both_ways_are_one() {
    let file = example("actions/workflows/fork_join.yaml");
    let done =
        squall(&["workflow", "simulate", &file, "host=db-1", "--result", "disk={\"stdout\": {\"used\": 1}}"]).await;
    assert_snapshot!(done.text(), @r#"
    seed 1

    tasks
         +0.0 ms  start  succeeded after 1.1 s
          +1.1 s  disk  succeeded after 268 ms
          +1.1 s  load  succeeded after 5.0 s
          +1.1 s  name  succeeded after 2.0 s
          +6.1 s  report  succeeded after 359 ms

    states
      start → fork start → disk → load → name → report

    the workflow:       succeeded after 6.4 s
    the state machine:  succeeded, 35 events
    output:             {"report":""}
    ✔ both did the same, at the same times
    exit 0
    "#);
    for workflow in ["loop", "retry_when", "with_items_canary", "join_quorum", "split"] {
        let file = example(&format!("actions/workflows/{workflow}.yaml"));
        let done = squall(&["workflow", "simulate", &file, "--runs", "20", "--failures", "30"]).await;
        assert_eq!(done.text(), "20 runs: 20 the same both ways, 0 not\nexit 0", "{workflow}");
    }
}

const ID: &str = "696f5a3c1d2e3f4a5b6c7d8e";

/// A host on which that workflow ran.
async fn host_with_run() -> Host {
    let host = Host::start().await;
    let execution = json!({
        "id": ID, "status": "succeeded", "action": {"ref": "my.flow", "pack": "my"}, "runner": {"name": "orquesta"},
        "parameters": {"hosts": ["a", "b"]}, "start_timestamp": "2026-03-02T09:14:05.000000Z", "elapsed_seconds": 6.5,
        "children": ["c1"], "result": {"output": {"said": "x y"}},
    });
    let run = json!({
        "file": "actions/workflows/flow.yaml", "text": FLOW, "status": "succeeded", "routes": [[]],
        "tasks": [
            {"task": "probe", "route": 0, "status": "succeeded", "retries": 0, "next": [{"transition": 0, "to": "say", "fired": true}]},
            {"task": "say", "route": 0, "status": "succeeded", "retries": 1, "next": [{"transition": 0, "to": "continue", "fired": true}]},
        ],
    });
    let child = |id: &str, task: &str, item: Option<u64>, second: u64, status: &str, stdout: &str| {
        let orquesta = match item {
            Some(item) => json!({"task_name": task, "task_route": 0, "item_id": item}),
            None => json!({"task_name": task, "task_route": 0}),
        };
        json!({
            "id": id, "parent": ID, "status": status, "action": {"ref": "core.local"}, "runner": {"name": "local-shell-cmd"},
            "start_timestamp": format!("2026-03-02T09:14:0{second}.000000Z"),
            "end_timestamp": format!("2026-03-02T09:14:0{second}.500000Z"), "elapsed_seconds": 0.5,
            "context": {"orquesta": orquesta}, "result": {"stdout": stdout},
        })
    };
    let children = json!([
        child("c1", "probe", Some(0), 5, "succeeded", "x"),
        child("c2", "probe", Some(1), 6, "succeeded", "y"),
        child("c3", "say", None, 7, "failed", ""),
        child("c4", "say", None, 8, "succeeded", "x y"),
    ]);
    host.on(&format!("GET /executions/{ID}"), 200, execution.clone()).on("GET /executions/last", 200, execution);
    host.on(&format!("GET /executions/{ID}/workflow"), 200, run);
    host.on(&format!("GET /executions/{ID}/children"), 200, children);
    host
}

#[tokio::test]
async fn a_run_is_drawn_with_the_way_that_it_went() {
    let host = host_with_run().await;
    assert_snapshot!(host.squall(&["workflow", "graph", "last"]).await.text(), @"
    my.flow 696f5a3c1d2e3f4a5b6c7d8e  succeeded

      1  ✔ probe  core.local  [for each host in ctx().hosts]  succeeded, 1.5 s
         └─ ✔ succeeded() → say

      2  ✔ say    core.echo  [retry 1×]  succeeded 2×, 1.5 s
         └─ ✔ succeeded() → continue
    exit 0
    ");
}

#[tokio::test]
async fn a_run_becomes_a_rehearsal_that_passes() {
    let host = host_with_run().await;
    let done = host.squall(&["execution", "to-test", ID]).await;
    assert_snapshot!(done.text(), @"
    workflow: my.flow
    cases:
    - name: my.flow as it ran in 696f5a3c1d2e3f4a5b6c7d8e
      input:
        hosts:
        - a
        - b
      tasks:
        probe:
          items:
          - result:
              stdout: x
          - result:
              stdout: y
        say:
        - status: failed
          result:
            stdout: ''
        - result:
            stdout: x y
      expect:
        status: succeeded
        output:
          said: x y
        tasks:
          probe: 1
          say: 2
    exit 0
    ");
    let files =
        directory(&[("flow.yaml", FLOW), ("test.yaml", &done.out.replace("workflow: my.flow", "workflow: flow.yaml"))]);
    let again = squall(&["workflow", "rehearse", &files.path().join("test.yaml").display().to_string()]).await;
    assert_eq!(again.code, 0, "{}", again.text());
}

#[tokio::test]
async fn a_workflow_is_followed_task_by_task() {
    let host = host_with_run().await;
    let chunk = |data: &str| json!({"chunks": [{"sequence": 0, "stream": "stdout", "data": data}]});
    for (id, data) in [("c1", "x\n"), ("c2", "y\nand mo"), ("c3", ""), ("c4", "x y\n")] {
        host.on(&format!("GET /executions/{id}/output"), 200, chunk(data));
        host.on(&format!("GET /executions/{id}/output"), 200, json!({"chunks": []}));
    }
    assert_snapshot!(host.squall(&["execution", "tail", ID]).await.text(), @"
    ▶ probe[0]  core.local
    ▶ probe[1]  core.local
    ▶ say  core.local
    ▶ say  core.local
      probe[0] | x
    ✔ probe[0] succeeded in 500 ms
      probe[1] | y
      probe[1] | and mo
    ✔ probe[1] succeeded in 500 ms
    ✘ say failed in 500 ms
      say | x y
    ✔ say succeeded in 500 ms
    ✔ my.flow succeeded in 6.5 s
    exit 0
    ");
}

#[tokio::test]
async fn a_failed_workflow_says_what_went_wrong_and_where() {
    let host = Host::start().await;
    let error = json!({
        "type": "error", "task_id": "probe", "route": 0, "task_transition_id": "report__t0", "line": 8,
        "message": "YaqlEvaluationException: Unable to evaluate expression '<% result().free %>'. no such key",
    });
    let execution = json!({
        "id": ID, "status": "failed", "action": {"ref": "my.flow", "entry_point": "workflows/flow.yaml"},
        "result": {"output": null, "errors": [error]},
    });
    host.on("GET /executions/last", 200, execution);
    let done = host.squall(&["execution", "get", "last"]).await;
    assert_snapshot!(done.out.split("\n\n").last().unwrap(), @"
    what went wrong in workflows/flow.yaml:
      line 8: task probe, transition to report: YaqlEvaluationException: Unable to evaluate expression '<% result().free %>'. no such key
    ");
}

#[tokio::test]
async fn what_is_no_workflow_is_said() {
    let missing = squall(&["workflow", "graph", "nowhere.yaml"]).await;
    assert_snapshot!(missing.text(), @"
    ! error: there is no file nowhere.yaml
    ! hint: a workflow is named by its file, by its action's metadata file, or by its action's ref
    exit 2
    ");
    let shell = squall(&["workflow", "inspect", &example("actions/disk.yaml")]).await;
    assert_snapshot!(short(&shell.text()), @"
    ! error: actions/disk.yaml runs no workflow: its runner is local-shell-script
    ! hint: workflows are of orquesta or action-chain
    exit 2
    ");
    let chain = squall(&["workflow", "graph", &example("actions/chain.yaml")]).await;
    assert_eq!(chain.code, 0, "{}", chain.error);
}
