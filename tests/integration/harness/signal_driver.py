"""In LLDB: asks the kernel again and again while a busy process runs in between; checks that LLDB and the threads noticed nothing."""
import os
import random
import threading

import lldb

REGISTERS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags")


def state_of(process):
    """What a user of LLDB sees of the stop, and every register of every thread."""
    threads = [(t.GetThreadID(), t.GetStopReason(), t.GetStopDescription(100),
                [t.GetFrameAtIndex(0).FindRegister(name).GetValueAsUnsigned() for name in REGISTERS]) for t in process]
    return process.GetStopID(), process.GetSelectedThread().GetThreadID(), threads


def run_for_a_moment(process):
    """Continues, which returns when the process has stopped."""
    stopped = threading.Event()

    def interrupt():
        while not stopped.wait(0.002 + random.random() / 50):
            process.SendAsyncInterrupt()  # One that comes too early is lost.

    thread = threading.Thread(target=interrupt)
    thread.start()
    process.Continue()
    stopped.set()
    thread.join()
    assert process.GetState() == lldb.eStateStopped


def run(debugger, rounds):
    debugger.HandleCommand("target stop-hook add -o \"script print('HOOK')\"")
    process = debugger.GetSelectedTarget().GetProcess()
    interpreter = debugger.GetCommandInterpreter()
    debugger.SetAsync(False)
    asked = 0
    for _ in range(rounds):
        process.SetSelectedThread(process.GetThreadAtIndex(random.randrange(process.GetNumThreads())))
        before = state_of(process)
        result = lldb.SBCommandReturnObject()
        interpreter.HandleCommand("cgo signals --call --json", result)
        after = state_of(process)
        if before != after:
            print("DRIVER changed", before, after)
            break
        if result.Succeeded():
            asked += '"asked":null' not in result.GetOutput()
        else:
            print("DRIVER failed", result.GetError())
        debugger.HandleCommand("target stop-hook disable")
        run_for_a_moment(process)
        debugger.HandleCommand("target stop-hook enable")
    print(f"DRIVER asked {asked} times")


def __lldb_init_module(debugger, _):
    run(debugger, int(os.environ["SIGNAL_ROUNDS"]))
