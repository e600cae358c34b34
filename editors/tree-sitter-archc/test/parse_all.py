"""Parses every .arch text of the repository that archc's own grammar reads, and wants no ERROR node in any tree.

    python3 test/parse_all.py [ARCHC]      # archc from PATH, or as given; `tree-sitter` from PATH or $TREE_SITTER

The texts are examples/*.arch, all under tests/, and the code blocks of docs/ and README.md. Those that are wrong on purpose
count too, as long as archc finds no mistake of syntax (E01..) in them; of the others, those without an ERROR node are listed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
TREE_SITTER = os.environ.get("TREE_SITTER", "tree-sitter")


def texts():
    """Names and texts; fragments of documentation, which are steps alone, get a block around them."""
    for folder in ["examples", "tests"]:
        for path in sorted((ROOT / folder).rglob("*.arch")):
            yield str(path.relative_to(ROOT)), path.read_bytes()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        blocks = re.findall(r"^```arch( fragment)?\n(.*?)^```", path.read_text(), re.M | re.S)
        for number, (fragment, text) in enumerate(blocks, 1):
            yield f"{path.relative_to(ROOT)}#{number}", (f"block Fragment() {{\n{text}}}\n" if fragment else text).encode()


def is_understood(archc, path):
    done = subprocess.run([archc, "check", "--format", "json", path], capture_output=True, text=True)
    found = [json.loads(line).get("code") or "" for line in done.stdout.splitlines() if line.startswith("{")]
    return not any(code.startswith("E01") for code in found)


def main():
    archc = sys.argv[1] if len(sys.argv) > 1 else "archc"
    failed, right, wrong, silent = [], 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, text) in enumerate(texts()):
            path = Path(folder) / f"{number}.arch"
            path.write_bytes(text)
            done = subprocess.run([TREE_SITTER, "parse", "-q", str(path)], cwd=HERE, capture_output=True, text=True)
            if is_understood(archc, str(path)):
                right += 1
                if done.returncode:
                    failed.append(f"{name}: {done.stdout.strip() or done.stderr.strip()}")
            else:
                wrong += 1
                if not done.returncode:
                    silent.append(name)
    print("\n".join(failed))
    print(f"{right} texts that archc reads, {len(failed)} with an ERROR node")
    print(f"{wrong} texts that it does not, {len(silent)} without one: {', '.join(silent)}")
    return 1 if failed else 0


sys.exit(main())
