"""Repairs the emulator's Step Functions where they differ from AWS; README.md lists how."""

import contextvars

# The execution whose task is being carried out, and the token of the call that it waits for.
_at_work = contextvars.ContextVar("at_work", default=None)
# The `Parallel` state that a branch belongs to.
_fork = contextvars.ContextVar("fork", default=None)
# The execution and the fork of each token that was given out.
_owners_of_tokens = {}

GONE = ("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'", 400)


class Fork:
    """A `Parallel` state that is being carried out: once one branch has failed it is over for all."""

    def __init__(self, around):
        self.around = around
        self.error = None

    def failure(self):
        return self.error or (self.around and self.around.failure())

    def is_within(self, fork):
        return self is fork or (self.around is not None and self.around.is_within(fork))


def repair():
    from ministack.core.responses import error_response_json
    from ministack.services import stepfunctions as emulated

    run_branch = emulated._run_sub_machine
    run_branches = emulated._run_parallel_branches
    fail_execution = emulated._fail_execution
    execute_task = emulated._execute_task
    wait_for_callback = emulated._invoke_with_callback
    call_function = emulated._call_lambda
    stop_execution = emulated._stop_execution

    def raise_in_call(token, error, cause):
        call = emulated._task_tokens.get(token)
        if call and not call["event"].is_set():
            call["error"] = {"Error": error, "Cause": cause}
            call["event"].set()

    def raise_in_calls(error, cause, is_meant):
        for token, (execution, fork) in list(_owners_of_tokens.items()):
            if is_meant(execution, fork):
                raise_in_call(token, error, cause)

    def fork(state, data, execution, context):
        before = _fork.set(Fork(_fork.get()))
        try:
            return run_branches(state, data, execution, context)
        finally:
            _fork.reset(before)

    def branch(states, start_at, data, execution, context):
        own = _fork.get()
        try:
            # Branches that share a context would give away each other's tokens.
            return run_branch(states, start_at, data, execution, dict(context))
        except Exception as error:
            if own is None:
                raise
            own.error = own.error or error
            raise_in_calls("States.Aborted", "", lambda _, fork: fork is not None and fork.is_within(own))
            raise own.error

    def fail_once(execution, error, cause):
        # One that was stopped stays stopped.
        if execution["status"] == "RUNNING":
            fail_execution(execution, error, cause)

    def task(state, data, execution, context):
        # The branches of one that has ended come to no further task.
        if execution["status"] != "RUNNING":
            raise emulated._ExecutionError("States.Aborted", "the execution has ended")
        if _fork.get() and _fork.get().failure():
            raise emulated._ExecutionError("States.Aborted", "another branch has failed")
        before = _at_work.set({"execution": execution, "token": None})
        try:
            return execute_task(state, data, execution, context)
        finally:
            _at_work.reset(before)

    def callback(resource, data, token, state):
        work = _at_work.get()
        work["token"] = token
        _owners_of_tokens[token] = (work["execution"], _fork.get())
        try:
            return wait_for_callback(resource, data, token, state)
        finally:
            work["token"] = None
            _owners_of_tokens.pop(token, None)

    def function(reference, event):
        try:
            return call_function(reference, event)
        except emulated._ExecutionError as error:
            # A call whose function fails has failed; nobody will answer it.
            work = _at_work.get()
            if work and work["token"]:
                raise_in_call(work["token"], error.error, error.cause)
            raise

    def only_while_it_runs(answer):
        def answered(data):
            execution, fork = _owners_of_tokens.get(data.get("taskToken"), (None, None))
            if (execution and execution["status"] != "RUNNING") or (fork and fork.failure()):
                return error_response_json(*GONE)
            return answer(data)

        return answered

    def stop(data):
        stopped = stop_execution(data)
        execution = emulated._executions.get(data.get("executionArn"))
        if execution and execution["status"] != "RUNNING":
            raise_in_calls("States.Aborted", "", lambda owner, _: owner is execution)
        return stopped

    emulated._run_sub_machine = branch
    emulated._run_parallel_branches = fork
    emulated._fail_execution = fail_once
    emulated._execute_task = task
    emulated._invoke_with_callback = callback
    emulated._call_lambda = function
    emulated._stop_execution = stop
    emulated._send_task_success = only_while_it_runs(emulated._send_task_success)
    emulated._send_task_failure = only_while_it_runs(emulated._send_task_failure)
