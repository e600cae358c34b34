"""Programs whose labels, arguments, blocks, inputs and models are called as something of Python's or PyTorch's, for `pytorch_check.py`."""

import keyword
import pathlib

from torch import nn

OWN = pathlib.Path(__file__).parents[2] / "src" / "exchange" / "pytorch" / "own"
NEEDED = "torch nn F math i x self cls Tensor OrderedDict Sequence int float str len list print range reversed sum super tuple enumerate".split()
# The language's own words, which name only labels and arguments.
WORDS = set("and block by else false fit for from if import in input it let long model not or output parallel repeat set skip train true via".split())

# Layers of the language, as which no block can be called.
LAYERS = {"zero_pad"}


def words() -> list[str]:
    helpers = [line.split("(")[0].split()[1] for file in OWN.glob("*.py") for line in file.read_text().splitlines()
               if line.startswith(("def ", "class "))]
    return sorted({*dir(nn.Sequential()), *dir(nn.Module()), *keyword.kwlist, *NEEDED, *helpers, "_", "match", "case", "type"})


def texts() -> list[tuple[str, str]]:
    """Models by name, with their programs."""
    every = [word for word in words() if word != "_"]
    names = [word for word in every if word not in WORDS]
    own = [word for word in names if word not in LAYERS]
    head = "    input into [N, 4, 8, 8]\n"
    labels = "".join(f"    {word}: conv(4, 1) -> group_norm(1)\n" for word in every)
    row = "    g: {\n" + "".join(f"        {word}: conv(4, 1)\n        relu -> group_norm(1)\n" for word in every) + "    }\n"
    kept = "".join(f"    {word}: conv(4, 1)\n    conv(4, 1) -> group_norm(1) -> conv(4, 1)\n    skip add from {word}\n    group_norm(1)\n" for word in every)
    blocks = "".join(f"block {word}(width) {{ conv(width, 1) -> group_norm(1) }}\n" for word in own)
    uses = "".join(f"    b{i}: {word}(4)\n    c{i}: {word}(4)\n" for i, word in enumerate(own))
    runs = "".join(f"    for n in 0..3 {{ {word}{{n}}: C(4, n) }}\n" for word in every if not word[-1].isdigit())
    made = [("Labels", f"model Labels() {{\n{head}{labels}}}\n"), ("Row", f"model Row() {{\n{head}{row}}}\n"),
            ("Kept", f"model Kept() {{\n{head}{kept}}}\n"), ("Blocks", f"{blocks}model Blocks() {{\n{head}{uses}}}\n"),
            ("Runs", f"block C(width, n) {{ conv(width, 1) -> leaky_relu(0.1 * n) -> group_norm(1) }}\nmodel Runs() {{\n{head}{runs}}}\n")]
    # In one long row roundings would grow until nothing of them is left to compare.
    for at in range(0, len(names), 16):
        few = list(enumerate(names[at:at + 16]))
        arguments = "".join(f"block B{i}({word}) {{ conv({word}, 1) -> leaky_relu(0.1 * {word}) -> conv(4, 1) -> group_norm(1) }}\n" for i, word in few)
        given = "".join(f"    b{i}: B{i}(2)\n    c{i}: B{i}(3)\n" for i, _ in few)
        made.append((f"Arguments{at}", f"{arguments}model Arguments{at}() {{\n{head}{given}}}\n"))
    for word in own:
        made.append((word, f"model {word}() {{\n    input {word} [N, 4, 8, 8]\n    conv(4, 3) -> relu\n    skip add {{ conv(4, 1) }}\n}}\n"))
    return made
