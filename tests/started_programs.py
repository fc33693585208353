"""Which programs the code and the documents start by name, read from their text.

In Python: the first word of what is given to subprocess, os.exec…, shutil.which, and to our own functions that pass a
command on (``WRAPPERS``). A command that is built elsewhere (``sys.executable``, a path, a parameter) names no program.
In Markdown: the lines of shell examples, and what follows ``--`` in them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("portal", "tenants", "provisioning", "billing", "tests")

# function or method → position of the command or of its first word
STARTERS = {
    **{f"subprocess.{name}": 0 for name in ("run", "Popen", "call", "check_call", "check_output")},
    **{f"os.{name}": 0 for name in ("execv", "execve", "execvp", "execvpe", "execlp", "system", "popen")},
    **{f"asyncio.create_subprocess_{name}": 0 for name in ("exec", "shell")},
    "shutil.which": 0,
}
# The same for our own: RunningLab.run(site, "ping"), LabCommands.run(connector, "curl"), ProcessSpec(name, [...]).
WRAPPERS = {"popen": 1, "popen_in": 1, "run": 1, "exec_in": 2, "ProcessSpec": 1, "Check": 1}
SETUP_RUN = {"run": 0}  # portal/local/setup.py: run("npm", "ci", …)

# A word that is a program's name and not a path, an option or a sentence.
PROGRAM_NAME = re.compile(r"[a-z][a-z0-9_.-]*$")
SHELL_WORDS = {"exit", "exec", "printf", "cd", "export", "if", "then", "fi", "for", "do", "done", "test", "echo"}


@dataclass(frozen=True, order=True)
class StartedProgram:
    name: str
    where: str  # file:line


def started_in_code() -> list[StartedProgram]:
    """Return every program that a Python file of the checkout starts by name."""
    files = (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))
    return [started for file in files for started in _started_in_file(file)]


def started_in_documents() -> list[StartedProgram]:
    """Return every program that README.md and docs/ tell a reader to start."""
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [
        StartedProgram(name, f"{document.relative_to(ROOT)}:{number}")
        for document in documents
        for number, line in _shell_lines(document.read_text())
        for name in programs_of_line(line)
    ]


def programs_of_line(line: str) -> Iterator[str]:
    """Yield the programs of one line of shell, and of the command after ``--`` that it passes on."""
    text = re.sub(r"\s#.*", "", line).strip()
    for command in re.split(r"&&|\|\|?|;|\s--\s", text):
        words = [word for word in command.split() if "=" not in word.partition("/")[0]]
        if words and PROGRAM_NAME.match(words[0]) and words[0] not in SHELL_WORDS:
            yield words[0]


def _shell_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of blocks marked ``sh`` and of indented blocks that start with a command."""
    language = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            language = line.strip("`").strip().partition(" ")[0] if language is None else None
        elif language in ("sh", "bash", "shell", "console"):
            yield number, line.removeprefix("$ ")
        elif language is None and re.match(r"    (make|\.venv/bin/python|[a-z-]+ -)", line):
            yield number, line


def _started_in_file(file: Path) -> Iterator[StartedProgram]:
    tree = ast.parse(file.read_text())
    wrappers = SETUP_RUN if file.name == "setup.py" else WRAPPERS
    literals = _lists_by_name(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.List):
            for name in _programs_of_script(node):
                yield StartedProgram(name, f"{file.relative_to(ROOT)}:{node.lineno}")
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function = ast.unparse(call.func)
        position = STARTERS.get(function, wrappers.get(function.rpartition(".")[2]))
        if position is None or len(call.args) <= position:
            continue
        for name in _first_words(call.args[position:], literals):
            yield StartedProgram(name, f"{file.relative_to(ROOT)}:{call.lineno}")


def _programs_of_script(words: ast.List) -> Iterator[str]:
    """Yield the programs of every ``"sh", "-c", "a script"`` in a list."""
    values = [getattr(word, "value", None) for word in words.elts]
    for shell, option, script in zip(values, values[1:], values[2:], strict=False):
        if (shell, option) == ("sh", "-c") and isinstance(script, str):
            yield from ("sh", *programs_of_line(script))


def _lists_by_name(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """Return the list and tuple literals that each name is given somewhere in the file."""
    literals: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
            for value in values:
                if isinstance(value, ast.List | ast.Tuple):
                    literals.setdefault(node.targets[0].id, []).append(value)
    return literals


def _first_words(words: list[ast.expr], literals: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Yield the program of a command given as words, as a list, or as the name of a list."""
    if not words:
        return
    first = words[0]
    if isinstance(first, ast.List | ast.Tuple):
        yield from _first_words(first.elts, literals)
    elif isinstance(first, ast.Starred | ast.Name):
        name = first.value if isinstance(first, ast.Starred) else first
        for literal in literals.get(name.id, []) if isinstance(name, ast.Name) else []:
            yield from _first_words([literal], literals)
        if isinstance(first, ast.Starred):
            yield from _first_words(words[1:], literals)
    elif isinstance(first, ast.BoolOp):
        for value in first.values:
            yield from _first_words([value, *words[1:]], literals)
    elif isinstance(first, ast.Constant) and isinstance(first.value, str) and PROGRAM_NAME.match(first.value):
        yield first.value
