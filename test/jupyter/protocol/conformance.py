"""jupyter_kernel_test against the installed kernel, with every sample filled in."""

import unittest

import jupyter_kernel_test as jkt

# On a busy machine an answer may come after the 15 seconds of the original.
for method in vars(jkt.KernelTests).values():
    if getattr(method, "__defaults__", None):
        method.__defaults__ = tuple(300 if value == jkt.TIMEOUT else value for value in method.__defaults__)
jkt.TIMEOUT = 300


class JoylabTests(jkt.KernelTests):
    kernel_name = "joylab"
    language_name = "typescript"
    file_extension = ".ts"

    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('test')"
    completion_samples = [
        {"text": "Math.flo", "matches": {"floor"}},
        {"text": "cons", "matches": {"const", "console"}},
    ]
    complete_code_samples = ["1", "const x: number = 1", "function f() {\n  return 1;\n}", "await Promise.resolve(1)"]
    incomplete_code_samples = ["function f() {", "const x =", "[1, 2,"]
    invalid_code_samples = ["const = 5", "let x y z"]
    code_page_something = "page('some help')"
    code_generate_error = "throw new Error('on purpose')"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "[1, 2, 3]", "result": "[ 1, 2, 3 ]"},
        {"code": "6 * 7 + 1", "result": "43"},
        {"code": "6 * 7 + 2", "result": "44"},
    ]
    code_display_data = [
        {"code": "import { display } from 'tslab'; display.html('<b>x</b>')", "mime": "text/html"},
        {"code": "import { display as show } from 'joylab'; show({ 'image/svg+xml': '<svg/>' });", "mime": "image/svg+xml"},
    ]
    code_history_pattern = "6 ? 7 + 2"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Math.floor"
    code_clear_output = "console.log('gone'); console.clear()"


class JoylabWelcomeTests(jkt.IopubWelcomeTests):
    kernel_name = "joylab"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main()
