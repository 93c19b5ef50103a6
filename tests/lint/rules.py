#!/usr/bin/env python3
"""The project's own rules, which no common tool checks. Prints FILE:LINE: RULE: text; exit code 1 when one is broken.

usage: rules.py [ROOT]       all files under the project's folders
       rules.py --self-test  the samples beside this file: every broken rule must be found, in its line and nowhere else

A line may be excused where a rule is in the way of something right: /* lint: allow RULE, because ... */ in that line.
"""
import pathlib
import re
import sys

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60
MAX_LINE_COLUMNS = 120
MAX_COMPLEXITY = 15

FOLDERS = ("apps", "bench", "core", "cuda", "datasets", "layers", "ood", "optim", "tests")
LIBRARY = ("core", "cuda", "datasets", "layers", "ood", "optim")  # what ends up in other people's programs
C_SUFFIXES = (".c", ".h", ".cpp", ".cu", ".cuh")
TEXT_SUFFIXES = C_SUFFIXES + (".py", ".sh", ".cmake", ".txt", ".md", ".yaml")

# Folder -> folders whose headers it may include beside its own. Those not named here may include everything.
MAY_INCLUDE = {folder: {"core"} for folder in LIBRARY}
MAY_INCLUDE["core"] = set()
MAY_INCLUDE["apps"] = set(LIBRARY) - {"cuda"}

# Names are matched as whole words before "(", and not as members (x.free, x->free).
BANNED = {
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "strcpy": "snprintf or memcpy", "strcat": "snprintf",
    "strncpy": "snprintf or memcpy", "strncat": "snprintf", "gets": "fgets", "atoi": "strtol", "atol": "strtol",
    "atof": "strtod", "strtok": "strcspn and strspn", "rand": "core/random.h", "srand": "core/random.h",
    "random": "core/random.h", "alloca": "dn_calloc", "system": "posix_spawn",
}
HEAP = {name: "core/alloc.h" for name in (
    "malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "strdup", "strndup", "asprintf")}
HEAP_FILE = "core/alloc.c"
PROCESS = {name: "return a dn_status" for name in ("exit", "_exit", "_Exit", "quick_exit", "abort")}
PROCESS.update({name: "leave printing to apps/" for name in ("printf", "vprintf", "puts", "putchar", "perror")})

CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")
INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([\w./+-]+)[>"]')
# __CUDACC__ asks which compiler reads a header that both sides share, not whether the build has CUDA.
CUDA_CONDITION = re.compile(r"\s*#\s*(?:el)?if(?:n?def)?\b(?!.*__CUDACC__).*CUDA")
MACHINE_PATH = re.compile(r"(?<![\w.~])/(?:work|home|root|Users)/")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
EXCUSE = re.compile(r"lint: allow ([\w-]+), because \w+")
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
BRANCH = re.compile(r"\b(?:if|for|while|switch)\b|&&|\|\||\?")
NOT_A_FUNCTION = {"if", "for", "while", "switch", "return", "sizeof", "defined"}


def blank(match):
    """Comments vanish and literals become empty; line breaks stay, so that line numbers hold."""
    text = match.group(0)
    lines = "\n" * text.count("\n")
    return lines + " " if text[0] == "/" else text[0] + text[-1] + lines


def strip(text):
    return TOKEN.sub(blank, text)


def without_directives(text):
    """Code with preprocessor lines (and their continuations) emptied: a macro's braces belong to no function. Of the
    branches of an #if only the first is kept, so that braces balance."""
    out, depth_off, stack, continued = [], 0, [], False
    for line in text.split("\n"):
        directive = re.match(r"\s*#\s*(\w+)", line)
        if continued or directive:
            if directive and not continued:
                word = directive.group(1)
                if word.startswith("if"):
                    stack.append(False)
                elif word in ("else", "elif") and stack and not stack[-1]:
                    stack[-1] = True
                    depth_off += 1
                elif word == "endif" and stack:
                    depth_off -= stack.pop()
            continued = line.endswith("\\")
            out.append("")
        else:
            out.append("" if depth_off else line)
    return "\n".join(out)


def functions(code):
    """Yields (name, first line, last line, body) of every function with a body; lines count from 1."""
    depth, start, name, namespace_depth = 0, 0, None, 0
    for match in re.finditer(r"[{}]", code):
        if match.group() == "{":
            before = code[max(code.rfind(c, 0, match.start()) for c in ";{}") + 1:match.start()]
            head = before.strip()
            if depth == namespace_depth:
                if re.match(r'extern\s*""$', head) or re.match(r"(inline\s+)?namespace\b", head):
                    namespace_depth += 1
                elif head.endswith(")") and "=" not in head.split("(", 1)[0]:
                    called = re.search(r"(\w+)\s*\(", head)
                    name, start = called.group(1) if called else "?", match.start()
                    if name in ("Test", "ParameterizedTest"):
                        name = head.replace("\n", " ")
                    first = code.count("\n", 0, match.start() - len(before.lstrip())) + 1
            depth += 1
        else:
            depth -= 1
            if depth < namespace_depth:
                namespace_depth = depth
            elif depth == namespace_depth and name:
                yield name, first, code.count("\n", 0, match.start()) + 1, code[start:match.end()]
                name = None


def check_functions(code):
    for name, first, last, body in functions(without_directives(code)):
        if last - first + 1 > MAX_FUNCTION_LINES:
            yield first, "function-length", f"{name} has {last - first + 1} lines, at most {MAX_FUNCTION_LINES}"
        # McCabe's number, a switch counted once: a table of cases reads like one decision.
        complexity = 1 + len(BRANCH.findall(body))
        if complexity > MAX_COMPLEXITY:
            yield first, "complexity", f"{name} has complexity {complexity}, at most {MAX_COMPLEXITY}"


def banned_calls(path, folder):
    table = dict(BANNED)
    if path != HEAP_FILE:
        table.update(HEAP)
    if folder in LIBRARY:
        table.update(PROCESS)
    return table


def check_include(folder, line):
    match = INCLUDE.match(line)
    if not match:
        return None
    top = match.group(2).split("/")[0]
    if folder != "cuda" and re.match(r"cuda[\w.]*$", top) and top not in FOLDERS:
        return "headers of CUDA belong to cuda/"
    if match.group(1) == '"' and top in FOLDERS and top != folder and top not in MAY_INCLUDE.get(folder, FOLDERS):
        return f"{folder}/ may not depend on {top}/"
    return None


def check_c(path, folder, raw):
    code = strip(raw)
    banned = banned_calls(path, folder)
    for number, (line, text) in enumerate(zip(raw.split("\n"), code.split("\n")), 1):
        for name in CALL.findall(text):
            if name in banned:
                yield number, "banned", f"{name}(): use {banned[name]}"
        if folder in LIBRARY and re.search(r"\bstdout\b", text):
            yield number, "banned", "stdout: leave printing to apps/"
        found = check_include(folder, line)
        if found:
            yield number, "dependency", found
        if folder != "cuda" and CUDA_CONDITION.match(text):
            yield number, "cuda-condition", "whether there is CUDA is known to cuda/ and the build alone"
    yield from check_functions(code)


def check_text(raw, suffix):
    lines = raw.split("\n")
    if len(lines) - 1 > MAX_FILE_LINES:
        yield len(lines) - 1, "file-length", f"{len(lines) - 1} lines, at most {MAX_FILE_LINES}"
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE_COLUMNS and suffix != ".md":  # tables cannot be wrapped
            yield number, "line-length", f"{len(line)} columns, at most {MAX_LINE_COLUMNS}"
        if MACHINE_PATH.search(line):
            yield number, "machine-path", "a path of one machine"
        if UNFINISHED.search(line):
            yield number, "unfinished", "finish it or write it down in docs/"


def check(path, raw):
    """Findings of one file as (line, rule, text); `path` is relative to the project's root."""
    suffix = pathlib.PurePath(path).suffix
    findings = list(check_text(raw, suffix))
    if suffix in C_SUFFIXES:
        findings += check_c(path, path.split("/")[0], raw)
    lines = raw.split("\n")
    for number, rule, text in sorted(findings):
        excuse = EXCUSE.search(lines[number - 1])
        if not (excuse and excuse.group(1) == rule):
            yield number, rule, text


def project_files(root):
    for folder in FOLDERS + ("docs", "cmake"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in TEXT_SUFFIXES and path.is_file() and "lint/samples" not in path.as_posix():
                yield path
    for name in ("CMakeLists.txt", "README.md", "CONTRIBUTING.md"):
        if (root / name).is_file():
            yield root / name


def lint(root):
    count = 0
    for path in project_files(root):
        name = path.relative_to(root).as_posix()
        for number, rule, text in check(name, path.read_text(encoding="utf-8")):
            print(f"{name}:{number}: {rule}: {text}")
            count += 1
    print(f"{count} findings")
    return 1 if count else 0


def self_test(samples):
    """A sample's first line says where it pretends to stand: /* lint sample: PATH */. A line that breaks a rule says
    so: /* finds RULE */. The findings must be exactly those."""
    wrong = 0
    files = sorted(samples.iterdir())
    rules = set()
    for path in files:
        raw = path.read_text(encoding="utf-8")
        pretended = re.search(r"lint sample: (\S+)", raw).group(1)
        expected = [(number, rule) for number, line in enumerate(raw.split("\n"), 1)
                    for rule in re.findall(r"finds ([\w-]+)", line)]
        found = [(number, rule) for number, rule, _ in check(pretended, raw)]
        rules.update(rule for _, rule in expected)
        if sorted(expected) != sorted(found):
            wrong += 1
            print(f"{path.name}: expected {sorted(set(expected) - set(found))} that was not found, "
                  f"found {sorted(set(found) - set(expected))} that was not expected")
    long_file = list(check("docs/x.md", "\n" * (MAX_FILE_LINES + 1)))
    if [rule for _, rule, _ in long_file] != ["file-length"] or list(check("docs/x.md", "\n" * MAX_FILE_LINES)):
        wrong += 1
        print("file-length: wrong at the limit")
    print(f"{len(files)} samples, {len(rules) + 1} rules, {wrong} wrong")
    return 1 if wrong or not files else 0


def main(arguments):
    here = pathlib.Path(__file__).resolve().parent
    if arguments == ["--self-test"]:
        return self_test(here / "samples")
    return lint(pathlib.Path(arguments[0]) if arguments else here.parent.parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
