"""Hold every file under 350 lines, every function under 40 and every folder under 16 files; name the offenders.

A file or a function that passes its limit does two things. A function is measured from its ``def`` to its last line,
without its docstring and decorators: explaining more must never cost more.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("src", "tests", "demo", "bench", "scripts", "infra")
SUFFIXES = frozenset({".py", ".sql", ".js", ".css", ".graphql"})
MAX_FILE = 350
MAX_FUNCTION = 40
MAX_FOLDER = 15
#: What releases left in their files: data, written by a program.
DATA = Path("tests/upgrade/releases")


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring and decorators."""
    first = function.body[0]
    last_line = function.end_lineno or function.lineno
    documented = ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return last_line - function.lineno + 1 - docstring


def long_functions(path: Path, text: str) -> Iterator[str]:
    """One line of complaint for each function of the Python file that is too long."""
    for node in ast.walk(ast.parse(text, str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node) > MAX_FUNCTION:
            lines = f"{length(node)} lines, at most {MAX_FUNCTION}"
            yield f"{path}:{node.lineno}: {node.name} has {lines}. Give its steps names of their own."


def offenders(path: Path) -> Iterator[str]:
    """Complaints about one file: its own length, then its functions'."""
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    if lines > MAX_FILE:
        yield f"{path}:{MAX_FILE + 1}: the file has {lines} lines, at most {MAX_FILE}. Split it by concept."
    if path.suffix == ".py":
        yield from long_functions(path, text)


def full_folders(paths: list[Path]) -> Iterator[str]:
    """One line of complaint for each folder with too many files. Tests mirror what they test, and are not counted."""
    folders = Counter(path.parent for path in paths if path.parts[0] != "tests" and path.suffix != ".sql")
    for folder, count in sorted(folders.items()):
        if count > MAX_FOLDER:
            yield f"{folder}: {count} files, at most {MAX_FOLDER}. Give what belongs together a folder of its own."


def main(arguments: list[str]) -> int:
    """Check the given files and folders, or the project's own; 1 when something is too long."""
    roots = [Path(name) for name in arguments or FOLDERS]
    inside = (path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*"))))
    files = [path for path in inside if path.is_file() and path.suffix in SUFFIXES and path.parent != DATA]
    found = [complaint for path in files for complaint in offenders(path)]
    found.extend(full_folders(files))
    print(*found, f"sizes: {len(files)} files, {len(found)} complaints", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
