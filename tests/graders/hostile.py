"""Graders that try to leave the sandbox, or to break what comes after them.

Each is the source of a script that misbehaves when the answer is ``attack`` and returns 0.25
otherwise, so that the next sample can show that it is graded as if nothing had happened. Where an
attack succeeds it returns 1.0, or leaves a trace outside: the canary file, the listener, a process.
``{canary}``, ``{made}``, ``{port}``, ``{host_pid}`` and ``{secret}`` are filled in.
"""

# ruff: noqa: E501 - attacks read best in one line
from __future__ import annotations

# A way to the real modules that every attack may use: the boundary is the kernel, not the imports.
REACH = """
import json, functools
def _modules():
    import typing
    return typing.sys.modules
def module(name):
    found = _modules().get(name)
    if found is None:
        frame_builtins = json.__builtins__
        found = frame_builtins["__import__"](name)
    return found
def os(): return module("os")
"""

ATTACKS: dict[str, str] = {
    # The file system
    "read_open": "return 1.0 if open({canary!r}).read() else 0.5",
    "read_os_open": "f = os().open({canary!r}, 0); return 1.0 if os().read(f, 10) else 0.5",
    "read_io": "return 1.0 if module('io').FileIO({canary!r}).read() else 0.5",
    "read_pathlib": "return 1.0 if module('pathlib').Path({canary!r}).read_text() else 0.5",
    "write_open": "open({made!r}, 'w').write('x'); return 1.0",
    "append_canary": "open({canary!r}, 'a').write('x'); return 1.0",
    "unlink": "os().unlink({canary!r}); return 1.0",
    "rename": "os().rename({canary!r}, {made!r}); return 1.0",
    "chmod": "os().chmod({canary!r}, 0); return 1.0",
    "mkdir": "os().mkdir({made!r}); return 1.0",
    "symlink": "os().symlink('/etc/passwd', {made!r}); return 1.0",
    "list_root": "return 1.0 if os().listdir('/') else 0.5",
    "stat": "os().stat('/etc/passwd'); return 1.0",
    "chdir": "os().chdir('/tmp'); return 1.0",
    "proc_environ": "return 1.0 if open('/proc/self/environ', 'rb').read() else 0.5",
    "proc_parent_mem": "open('/proc/%d/mem' % os().getppid(), 'r+b'); return 1.0",
    "proc_host": "return 1.0 if open('/proc/{host_pid}/environ', 'rb').read() else 0.5",
    "dev_mem": "open('/dev/shm/x', 'w'); return 1.0",
    # The environment
    "environ": "raise ValueError(repr(dict(os().environ)))",
    "argv": "raise ValueError(repr([module('sys').argv, module('sys').path, module('sys').orig_argv]))",
    "heap_secrets": """
gc = module('gc')
secret = {secret!r}[::-1]  # backwards, or it would find itself
raise ValueError(repr([o for o in gc.get_objects() if secret in repr(o)][:3]))""",
    # The network
    "connect": "s = module('socket').socket(); s.connect(('127.0.0.1', {port})); s.send(b'x'); return 1.0",
    "listen": "s = module('_socket').socket(2, 1, 0); s.bind(('127.0.0.1', 0)); s.listen(); return 1.0",
    "raw_socket": """
import functools
libc = module('ctypes').CDLL(None)
return 1.0 if libc.socket(2, 1, 0) >= 0 else 0.5""",
    "urllib": "module('urllib.request').urlopen('http://127.0.0.1:{port}/'); return 1.0",
    "dns": "module('socket').getaddrinfo('localhost', 80); return 1.0",
    # Processes and signals
    "fork": "p = os().fork(); (p == 0 and os()._exit(0)); return 1.0",
    "vfork_syscall": """
libc = module('ctypes').CDLL(None)
pid = libc.syscall(58 if 'x86' in {machine!r} else 220, 0x4111, 0, 0, 0, 0)
if pid == 0: libc._exit(0)
return 1.0 if pid > 0 else 0.5""",
    "exec": "os().execv('/bin/sh', ['sh', '-c', 'touch ' + {made!r}]); return 1.0",
    "system": "return 1.0 if os().system('touch ' + {made!r}) == 0 else 0.5",
    "subprocess": "module('subprocess').run(['touch', {made!r}], check=True); return 1.0",
    "popen": "return 1.0 if os().popen('echo x').read() else 0.5",
    "posix_spawn": "os().posix_spawn('/bin/touch', ['touch', {made!r}], {{}}); return 1.0",
    "multiprocessing": "p = module('multiprocessing').Process(target=print); p.start(); return 1.0",
    "thread": "import functools; module('_thread').start_new_thread(print, ()); return 1.0",
    "kill_parent": "os().kill(os().getppid(), 9); return 1.0",
    "kill_host": "os().kill({host_pid}, 9); return 1.0",
    "kill_all": "os().kill(-1, 9); return 1.0",
    "killpg": "os().killpg(0, 9); return 1.0",
    "sigqueue": "module('signal').pidfd_send_signal(os().pidfd_open({host_pid}), 9); return 1.0",
    "ptrace": """
libc = module('ctypes').CDLL(None)
return 1.0 if libc.ptrace(16, os().getppid(), 0, 0) == 0 else 0.5""",
    "process_vm_writev": """
libc = module('ctypes').CDLL(None)
return 1.0 if libc.process_vm_writev(os().getppid(), None, 0, None, 0, 0) >= 0 else 0.5""",
    "setrlimit": "r = module('resource'); r.setrlimit(r.RLIMIT_AS, (-1, -1)); return 1.0",
    "undo_seccomp": """
libc = module('ctypes').CDLL(None)
return 1.0 if libc.prctl(22, 0, 0, 0, 0) == 0 or libc.prctl(4, 1, 0, 0, 0) == 0 else 0.5""",
    "executable_memory": """
mapped = module('mmap').mmap(-1, 4096, prot=7)
return 1.0""",
    "mprotect_exec": """
ctypes = module('ctypes'); libc = ctypes.CDLL(None)
page = ctypes.create_string_buffer(8192)
at = (ctypes.addressof(page) + 4095) & ~4095
return 1.0 if libc.mprotect(ctypes.c_void_p(at), 4096, 7) == 0 else 0.5""",
    "io_uring": """
libc = module('ctypes').CDLL(None)
return 1.0 if libc.syscall(425, 8, None) >= 0 else 0.5""",
    "x32_calls": """
libc = module('ctypes').CDLL(None)
return 1.0 if libc.syscall(0x40000000 + 2, {canary!r}.encode(), 0) >= 0 else 0.5""",
    "signal_alarm": "module('signal').setitimer(0, 0.01); return 1.0",
    # Resources
    "memory_bomb": "x = []\nwhile True: x.append(bytearray(1 << 24))",
    "huge_string": "return len('x' * (1 << 40))",
    "huge_int": "return 10 ** (10 ** 9)",
    "endless_loop": "while True: pass",
    "regex_blowup": "import re; re.match('(a+)+$', 'a' * 64 + 'b'); return 1.0",
    "sleep": "module('time').sleep(60); return 1.0",
    "sleep_ignoring_signals": """
signal = module('signal')
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except Exception: pass
while True:
    try: module('time').sleep(60)
    except BaseException: pass""",
    "recursion": "f = lambda: f(); f()",
    "recursion_without_limit": """
module('sys').setrecursionlimit(1 << 30)
def f(x): return f([x])
f(0)""",
    "deep_repr": """
x = []
for _ in range(1000000): x = [x]
module('sys').setrecursionlimit(1 << 30)
raise ValueError(repr(x))""",
    "exhaust_fds": """
fds = []
while True: fds.append(os().dup(4))""",
    "print_megabytes": "[print('x' * (1 << 20)) for _ in range(50)]; return 2.0 - 1.75",
    "compile_bomb": "compile('(' * 100000, 'x', 'eval')",
    "catch_everything": """
while True:
    try:
        while True: pass
    except BaseException: continue""",
    # Forged results
    "forge_stdout": """
print('{{"id": "x", "score": 1.0}}', flush=True)
os().write(1, b'\\x00\\x00\\x00\\x0f{{"score": 1.00}}')
raise ValueError('forged')""",
    "forge_every_fd": """
for fd in range(64):
    try: os().write(fd, b'\\x00\\x00\\x00\\x0d{{"score": 1.0}}')
    except OSError: pass
raise ValueError('forged')""",
    "forge_pipe_garbage": "os().write(4, b'A' * 4096); return 1.0",
    "forge_pipe_huge_length": "os().write(4, b'\\xff\\xff\\xff\\xff'); return 1.0",
    "forge_pipe_flood": "while True: os().write(4, b'\\x00\\x00\\xff\\xff' + b'x' * 65535)",
    "forge_next_answers": """
gc = module('gc')
for frame_id in ('0' * 16, 'x'):
    payload = json.dumps({{'id': frame_id, 'score': 1.0}}).encode()
    os().write(4, len(payload).to_bytes(4, 'big') + payload)
return 0.5""",
    "close_pipe": "os().close(4); return 1.0",
    "close_all": "os().closerange(0, 100); return 1.0",
    "read_requests": "os().read(3, 100); return 1.0",
    # Scores that are no scores
    "nan": "return float('nan')",
    "inf": "return float('inf')",
    "minus_inf": "return -float('inf')",
    "huge": "return 10 ** 400",
    "overflowing_decimal": "from decimal import Decimal; return Decimal('1e999')",
    "complex": "return 1 + 0j",
    "text": "return '1.0'",
    "none": "return None",
    "list": "return [1.0]",
    "evil_float": """
class Evil:
    def __float__(self): return 1.0
    def __repr__(self): return '1.0'
return Evil()""",
    "generator": "yield 1.0",
    "coroutine": "async def f(): return 1.0\nreturn f()",
    # Ends
    "sys_exit": "module('sys').exit(0)",
    "exit_now": "os()._exit(0)",
    "abort": "os().abort()",
    "system_exit": "raise SystemExit('1.0')",
    "keyboard_interrupt": "raise KeyboardInterrupt",
    "base_exception": "class B(BaseException): pass\nraise B",
    "generator_exit": "raise GeneratorExit",
    "segfault": "module('ctypes').string_at(0); return 1.0",
    "evil_exception": """
class E(Exception):
    def __str__(self): raise SystemExit
    __repr__ = __str__
raise E""",
    "hanging_exception": """
class E(Exception):
    def __str__(self):
        while True: pass
raise E""",
    "huge_exception": "raise ValueError('x' * (1 << 24))",
    "surrogates_in_exception": "raise ValueError('\\ud800\\udfff\\x00\\x1b[31m\\u202e')",
    "surrogates_in_name": "raise type('E\\ud800', (Exception,), {{}})('\\udc00')",
    "exit_at_exit": """
module('atexit').register(lambda: os().write(4, b'x'))
raise SystemExit""",
    # Imports
    "import_os": "__import__('os').listdir('/'); return 1.0",
    "import_ctypes": "return 1.0 if __import__('ctypes').CDLL(None).open({canary!r}.encode(), 0) >= 0 else 0.5",
    "importlib": "__builtins__['__import__']('importlib').import_module('os').listdir('/'); return 1.0",
    "exec_import": "exec('import os; os.listdir(\"/\")'); return 1.0",
    "eval_import": "eval('__import__(\"os\")').listdir('/'); return 1.0",
    "compile_import": "exec(compile('import subprocess as s; s.run([\"true\"])', 'x', 'exec')); return 1.0",
    "fresh_module": "module('sqlite3').connect({made!r}).execute('create table x (y)'); return 1.0",
    # What it leaves for the next sample
    "patch_json": """
json.loads = json.dumps = lambda *a, **k: {{'id': 0, 'sample': 0, 'item': 0}}
json.decoder.JSONDecoder.decode = None
raise ValueError('patched')""",
    "patch_builtins": """
b = json.__builtins__
b['len'] = b['isinstance'] = b['float'] = lambda *a: 1.0
raise ValueError('patched')""",
    "patch_worker_frames": """
gc = module('gc')
frame = module('sys')._getframe()
while frame.f_back:
    frame = frame.f_back
    frame.f_globals.update(_score=lambda *a: 1.0, _number=lambda *a: 1.0, _write=None, _send=None)
raise ValueError('patched')""",
    "patch_functions_by_gc": """
gc = module('gc')
for o in gc.get_objects():
    try:
        if callable(o) and getattr(o, '__name__', '') in ('_write', '_send', '_score', '_read_frame'):
            o.__defaults__ = (None,); o.__code__ = (lambda *a, **k: 1.0).__code__
    except BaseException: pass
raise ValueError('patched')""",
    "trace_function": """
module('sys').settrace(lambda *a: None); module('sys').setprofile(lambda *a: None)
raise ValueError('patched')""",
    "del_later": """
class Later:
    def __del__(self): os().write(4, b'\\x00\\x00\\x00\\x02{{}}')
globals()['keep'] = Later()
raise ValueError('later')""",
    "mutate_arguments": """
sample.clear(); item.clear(); item['reference_answer'] = 'attack'
raise ValueError('mutated')""",
}

LINGERING: dict[str, str] = {
    # These give a score like an honest grader, and leave something behind in the same process.
    "patch_json_quietly": "json.loads = json.dumps = None\nreturn 0.5",
    "patch_worker_quietly": """
frame = module('sys')._getframe()
while frame.f_back:
    frame = frame.f_back
    frame.f_globals.clear()
return 0.5""",
    "answer_late": """
gc = module('gc')
class Later:
    def __del__(self):
        for _ in range(3): os().write(4, b'\\x00\\x00\\x00\\x0d{{"score": 1.0}}')
globals()['keep'] = Later()
gc.callbacks.append(lambda *a: globals().pop('keep', None))
return 0.5""",
    "close_pipe_quietly": """
gc = module('gc')
class Later:
    def __del__(self): os().close(3)
Later.keep = Later()
os().close(3)
return 0.5""",
    "answer_twice": """
frame = module('sys')._getframe()
while 'request_id' not in frame.f_locals: frame = frame.f_back
payload = json.dumps({{'id': frame.f_locals['request_id'], 'score': 0.5}}).encode()
os().write(4, len(payload).to_bytes(4, 'big') + payload)
x = 0
while x < 300000: x += 1
return 0.75""",
    "mutate_quietly": "sample.clear(); item.clear(); return 0.5",
    "patch_builtins_quietly": """
for name in ('isinstance', 'float', 'repr', 'str', 'type', 'len', 'int', 'min', 'max'):
    json.__builtins__[name] = None
return 0.5""",
    "raise_quietly": """
class Later: calls = 0
globals()['attack'] = None
real = globals()['grade']
def broken(sample, item): raise SystemExit
globals()['grade'] = broken
real.__code__ = broken.__code__
return 0.5""",
    "seed_quietly": "import random; random.seed = None; return 0.5",
}


def source(body: str, **values: object) -> str:
    """A grader that attacks when the answer is ``attack``."""
    filled = body.format(**values).strip("\n")
    attack = "\n".join("    " + line for line in filled.splitlines())
    return (
        f"{REACH}\ndef attack(sample, item):\n{attack}\n\n"
        "def grade(sample, item):\n"
        "    if sample['output_text'] == 'attack':\n"
        "        return attack(sample, item)\n"
        "    return 0.25 if item['reference_answer'] == 'right' else 0.75\n"
    )
