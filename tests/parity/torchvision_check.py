"""torchvision's networks against ours: state dicts load with no mapping, and the logits agree.

`python tests/parity/torchvision_check.py target/release/archc` makes each network of `FULL` with random weights and running
statistics, saves its state dict as `.pth` and as `.safetensors`, runs `archc run` on both, and prints the largest difference of
the logits over the largest logit. It fails above 1e-4.

`python tests/parity/torchvision_check.py --fixtures` writes what the tests read in place of that: the keys and sizes of the state dicts
(`torchvision/NAME.txt`), and a DenseNet so narrow that it fits in a repository (`torchvision/tiny.*`).
"""

import pathlib
import subprocess
import sys
import tempfile

import torch
import torchvision
from make import save

FOLDER = pathlib.Path(__file__).parent / "torchvision"
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
FULL = {
    "resnet18": ("resnet.arch", "ResNet18"),
    "resnet34": ("resnet.arch", "ResNet34"),
    "resnet50": ("resnet.arch", "ResNet50"),
    "densenet121": ("densenet.arch", "DenseNet121"),
}
LIMIT = 1e-4


def randomise(network):
    """Trained-looking values: running statistics and norms that are not 1 and 0, activations that neither die nor explode."""
    for path, parameter in network.named_parameters():
        if parameter.dim() == 1:
            parameter.data = torch.randn_like(parameter) * 0.1 + (1.0 if path.endswith("weight") else 0.0)
    for path, buffer in network.named_buffers():
        if path.endswith("running_var"):
            buffer.copy_(torch.rand_like(buffer) + 0.5)
        elif path.endswith("running_mean"):
            buffer.copy_(torch.randn_like(buffer) * 0.1)
        else:
            buffer.fill_(1000)
    return network.eval()


def logits_of(archc, example, model, weights, image, output):
    command = [archc, "run", EXAMPLES / example, "--model", model, "--weights", weights, "--input", image, "--output", output]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    # The only tensor of the file: the header's length, the header, and the numbers.
    data = output.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    return torch.frombuffer(bytearray(data[start:]), dtype=torch.float32).view(-1, 1000)


def check(archc):
    distances = []
    for name, (example, model) in FULL.items():
        torch.manual_seed(1)
        network = randomise(torchvision.models.get_model(name, weights=None))
        image = torch.randn(2, 3, 224, 224)
        with torch.no_grad():
            want = network(image)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            torch.save(network.state_dict(), folder / "weights.pth")
            save(folder / "weights.safetensors", network.state_dict(), {"format": "pt"})
            save(folder / "image.safetensors", {"image": image}, {})
            for weights in ["weights.pth", "weights.safetensors"]:
                got = logits_of(archc, example, model, folder / weights, folder / "image.safetensors", folder / "y.safetensors")
                distance = ((got - want).abs().max() / want.abs().max()).item()
                print(f"{name:12} {weights:20} largest logit {want.abs().max():.3f}, off by {distance:.1e} of it")
                distances.append(distance)
    print(f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}: worst {max(distances):.1e}, limit {LIMIT:.0e}")
    return all(distance <= LIMIT for distance in distances)


def fixtures():
    FOLDER.mkdir(exist_ok=True)
    for name in FULL:
        state = torchvision.models.get_model(name, weights=None).state_dict()
        lines = [" ".join([key, *map(str, value.shape)]) for key, value in state.items()]
        (FOLDER / f"{name}.txt").write_text("\n".join(lines) + "\n")
    torch.manual_seed(1)
    tiny = torchvision.models.DenseNet(growth_rate=4, block_config=(2, 3), num_init_features=8, num_classes=5)
    randomise(tiny)
    image = torch.randn(2, 3, 37, 45)
    with torch.no_grad():
        logits = tiny(image)
    torch.save(tiny.state_dict(), FOLDER / "tiny.pth")
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    save(FOLDER / "tiny.safetensors", tiny.state_dict(), versions)
    save(FOLDER / "tiny_logits.safetensors", {"image": image, "logits": logits}, versions)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--fixtures"]:
            fixtures()
        case [archc]:
            sys.exit(0 if check(archc) else 1)
        case _:
            sys.exit(__doc__)
