"""Makes the fixtures that archc is compared with: `python tests/parity/make.py` (needs PyTorch alone).

For each case of cases.py, tests/parity/fixtures/NAME.safetensors holds, in f64: the inputs (`in.NAME`), parameters and buffers (`param.PATH`), one weight for each
element of each output (`cot.NAME`), and for each mode (`train`, `eval`) the outputs (`MODE.out.NAME`), the gradients of the weighted sum of all outputs
(`MODE.grad.in.NAME`, `MODE.grad.param.PATH`) and the buffers afterwards (`MODE.buffer.PATH`). Its metadata hold the model's text and PyTorch's version.
"""

import json
import pathlib
import zlib

import torch
from cases import CASES

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def save(path, tensors, metadata):
    """Writes a .safetensors file; the format is small enough to need no library."""
    names = {torch.float64: "F64", torch.float32: "F32", torch.int64: "I64"}
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in sorted(tensors.items()):
        numbers = tensor.contiguous().numpy().tobytes()
        offsets = [len(data), len(data) + len(numbers)]
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        data += numbers
    header = json.dumps(header, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)


def text(case):
    """The model, as a file."""
    inputs = "".join(f"    input {n} [N, {', '.join(map(str, dims[1:]))}]\n" for n, dims in case["inputs"].items())
    steps = "".join(f"    {line}\n" for line in case["steps"].split("\n"))
    return f"model Case {{\n{inputs}{steps}}}\n"


def randomise(modules):
    """Parameters and running statistics that no formula can ignore."""
    for _, parameter in modules.named_parameters():
        parameter.data = torch.randn_like(parameter) * 0.5 + 0.1
    for path, buffer in modules.named_buffers():
        if path.endswith("running_var"):
            buffer.copy_(torch.rand_like(buffer) + 0.5)
        elif path.endswith("running_mean"):
            buffer.copy_(torch.randn_like(buffer))
        else:
            buffer.fill_(5)


def record(mode, case, modules, inputs, cotangents, tensors):
    """One pass forwards and back, and what it changed."""
    modules.train(mode == "train")
    modules.zero_grad()
    leaves = {name: value.clone().requires_grad_() for name, value in inputs.items()}
    outputs = case["run"](modules, **leaves)
    outputs = outputs if isinstance(outputs, dict) else {"output": outputs}
    for name, value in outputs.items():
        tensors[f"{mode}.out.{name}"] = value.detach().clone()
        if name not in cotangents:
            cotangents[name] = torch.randn_like(value)
    sum((value * cotangents[name]).sum() for name, value in outputs.items()).backward()
    for name, leaf in leaves.items():
        tensors[f"{mode}.grad.in.{name}"] = leaf.grad
    for path, parameter in modules.named_parameters():
        tensors[f"{mode}.grad.param.{path}"] = parameter.grad.clone()
    for path, buffer in modules.named_buffers():
        tensors[f"{mode}.buffer.{path}"] = buffer.detach().clone()


def make(name, case):
    torch.manual_seed(zlib.crc32(name.encode()))
    modules = torch.nn.ModuleDict(case["modules"]).double()
    randomise(modules)
    inputs = {n: torch.randn(dims, dtype=torch.float64) for n, dims in case["inputs"].items()}
    if case["values"]:
        inputs = {n: case["values"](value) for n, value in inputs.items()}
    tensors = {f"in.{n}": value for n, value in inputs.items()}
    tensors |= {f"param.{path}": value.clone() for path, value in modules.state_dict().items()}
    cotangents = {}
    # Evaluation first: it leaves the running statistics as they are.
    for mode in ["eval", "train"] if case["train"] else ["eval"]:
        record(mode, case, modules, inputs, cotangents, tensors)
    if not list(modules.buffers()) and case["train"]:
        # Training and evaluation are the same: one of them says it.
        tensors = {n: t for n, t in tensors.items() if not n.startswith("eval.")}
    tensors |= {f"cot.{n}": value for n, value in cotangents.items()}
    metadata = {"arch": text(case), "torch": torch.__version__}
    save(FIXTURES / f"{name}.safetensors", tensors, metadata)


if __name__ == "__main__":
    FIXTURES.mkdir(exist_ok=True)
    for stale in FIXTURES.glob("*.safetensors"):
        stale.unlink()
    for name, case in CASES.items():
        make(name, case)
