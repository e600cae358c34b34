"""Reads what `archc train --tensorboard` wrote as TensorBoard does, and says what is in it.

    pip install tensorboard
    python tests/exchange/tensorboard_check.py target/release/archc

Trains a new network, kills a second training and goes on with it, and checks scalars, histograms, texts, the graph, and that a
record cut short ends a file quietly. Last run with TensorBoard 2.20.
"""

import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def load(folder):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
    return events.Reload()


def steps(events, tag):
    return [event.step for event in events.Scalars(tag)]


def main(archc, folder):
    def run(*args):
        subprocess.run([archc, *args], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    run("new", "net", "-q")
    run("train", "net.arch", "--epochs", "3", "--tensorboard", "boards", "--no-report", "-q")
    train, test = load(folder / "boards/net-1/train"), load(folder / "boards/net-1/test")
    for events in (train, test):
        assert steps(events, "loss") == [23, 46, 69], steps(events, "loss")
        assert 0 < events.Scalars("accuracy")[-1].value <= 1
    assert steps(train, "batch/loss")[-1] <= 69 and len(steps(train, "batch/learning_rate")) > 20
    assert train.Tags()["graph"] and len(train.Graph().node) > 10
    assert "weights/head.weight" in train.Tags()["histograms"], train.Tags()
    histogram = train.Histograms("weights/head.weight")[-1].histogram_value
    assert histogram.num == sum(histogram.bucket) and histogram.min < histogram.max
    text = train.Tensors("recipe")[0].tensor_proto.string_val[0].decode()
    assert "train Net {" in text and "builtin:digits" in text, text

    # A run that is killed loses at most its last record; gone on with, its steps continue.
    arguments = [archc, "train", "net.arch", "--epochs", "40", "--tensorboard", "boards", "--no-report", "-q"]
    child = subprocess.Popen(arguments, cwd=folder)
    while not (folder / "runs/net-2/best.safetensors").exists() and child.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = steps(load(folder / "boards/net-2/train"), "loss")
    run("train", "net.arch", "--resume", "runs/net-2", "--epochs", "8", "--tensorboard", "boards", "--no-report", "-q")
    after = steps(load(folder / "boards/net-2/train"), "loss")
    assert len(list((folder / "boards/net-2/train").iterdir())) == 2
    assert before and after == sorted(set(after)) and after[0] == 23, (before, after)

    # Cut short, a file gives what is whole in it.
    file = next((folder / "boards/net-1/test").iterdir())
    file.write_bytes(file.read_bytes()[:-5])
    whole = load(folder / "boards/net-1/test")
    assert steps(whole, "loss") == [23, 46], steps(whole, "loss")
    print("all well:", len(train.Tags()["scalars"]), "scalars,", len(train.Tags()["histograms"]), "histograms")


with tempfile.TemporaryDirectory() as folder:
    main(str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(folder))
