"""What every layer gives in PyTorch: prints tests/tables/layers.txt.

A line is: call | input sizes after the batch | output sizes or `error` | parameters and buffers | MACs of one sample.
"""
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

CASES = [
    ("conv(64, 7, stride=2)", lambda: nn.Conv2d(3,64,7,2,3), [3,224,224]),
    ("conv(8, 3)", lambda: nn.Conv2d(3,8,3,1,1), [3,5,7]),
    ("conv(8, 3, pad=0)", lambda: nn.Conv2d(3,8,3), [3,5,7]),
    ("conv(8, 3, stride=2, bias=false)", lambda: nn.Conv2d(3,8,3,2,1,bias=False), [3,6,7]),
    ("conv(8, 3, dilation=2)", lambda: nn.Conv2d(3,8,3,1,2,dilation=2), [3,9,9]),
    ("conv(8, [3, 1], stride=[1, 2])", lambda: nn.Conv2d(4,8,(3,1),(1,2),(1,0)), [4,9,9]),
    ("conv(8, 4, stride=2, pad=1)", lambda: nn.Conv2d(4,8,4,2,1), [4,9,10]),
    ("conv(8, 3, groups=4)", lambda: nn.Conv2d(4,8,3,1,1,groups=4), [4,9,9]),
    ("conv(8, 3, groups=3)", lambda: nn.Conv2d(4,8,3,1,1,groups=3), [4,9,9]),
    ("conv(8, 3, groups=4)", lambda: nn.Conv2d(6,8,3,1,1,groups=4), [6,9,9]),
    ("conv(8, 5, pad=0)", lambda: nn.Conv2d(4,8,5), [4,4,9]),
    ("conv(8, 5, pad=1)", lambda: nn.Conv2d(4,8,5,padding=1), [4,4,9]),
    ("conv(8, 5, stride=3)", lambda: nn.Conv1d(4,8,5,3,2), [4,20]),
    ("conv(8, 3)", lambda: nn.Conv2d(4,8,3,padding=1), [10]),
    ("conv_transpose(8, 2, stride=2)", lambda: nn.ConvTranspose2d(4,8,2,2), [4,5,6]),
    ("conv_transpose(8, 3, stride=2, pad=1, out_pad=1)", lambda: nn.ConvTranspose2d(4,8,3,2,1,1), [4,5,6]),
    ("conv_transpose(8, 4, stride=2, pad=1, bias=false)", lambda: nn.ConvTranspose2d(4,8,4,2,1,bias=False), [4,5,6]),
    ("conv_transpose(8, 3, dilation=2, groups=2)", lambda: nn.ConvTranspose2d(4,8,3,dilation=2,groups=2), [4,5,6]),
    ("conv_transpose(8, 3, stride=3)", lambda: nn.ConvTranspose1d(4,8,3,3), [4,5]),
    ("conv_transpose(8, 3, out_pad=2, dilation=3, stride=2)", lambda: nn.ConvTranspose2d(4,8,3,2,output_padding=2,dilation=3), [4,5,5]),
    ("conv_transpose(8, 3, stride=2, out_pad=2)", lambda: nn.ConvTranspose2d(4,8,3,2,output_padding=2), [4,5,5]),
    ("conv_transpose(8, 3, pad=5)", lambda: nn.ConvTranspose2d(4,8,3,padding=5), [4,8,8]),
    ("linear(10)", lambda: nn.Linear(512,10), [512]),
    ("linear(10, bias=false)", lambda: nn.Linear(512,10,bias=False), [512]),
    ("batch_norm", lambda: nn.BatchNorm2d(6), [6,4,4]),
    ("batch_norm", lambda: nn.BatchNorm1d(6), [6]),
    ("batch_norm(affine=false)", lambda: nn.BatchNorm1d(6,affine=False), [6,9]),
    ("group_norm(3)", lambda: nn.GroupNorm(3,6), [6,4,4]),
    ("group_norm(4)", lambda: nn.GroupNorm(4,6), [6,4,4]),
    ("group_norm(2, affine=false)", lambda: nn.GroupNorm(2,6,affine=False), [6]),
    ("layer_norm", lambda: nn.LayerNorm(6), [6]),
    ("instance_norm", lambda: nn.InstanceNorm2d(6), [6,4,4]),
    ("instance_norm(affine=true)", lambda: nn.InstanceNorm1d(6,affine=True), [6,4]),
    ("instance_norm", lambda: nn.InstanceNorm2d(6), [6,1,1]),
    ("prelu", lambda: nn.PReLU(), [6,4,4]),
    ("prelu(shared=false)", lambda: nn.PReLU(6), [6,4,4]),
    ("relu", lambda: nn.ReLU(), [6,4,4]),
    ("softmax", lambda: nn.Softmax(1), [6,4,4]),
    ("maxpool(3, stride=2, pad=1)", lambda: nn.MaxPool2d(3,2,1), [6,112,112]),
    ("maxpool(2)", lambda: nn.MaxPool2d(2), [6,7,8]),
    ("maxpool(2, ceil=true)", lambda: nn.MaxPool2d(2,ceil_mode=True), [6,7,8]),
    ("maxpool(3, stride=2, ceil=true)", lambda: nn.MaxPool2d(3,2,ceil_mode=True), [6,2,4]),
    ("maxpool(2, stride=3, pad=1, ceil=true)", lambda: nn.MaxPool2d(2,3,1,ceil_mode=True), [6,4,5]),
    ("maxpool(2, stride=2, pad=1, ceil=true)", lambda: nn.MaxPool2d(2,2,1,ceil_mode=True), [6,5,6]),
    ("maxpool(3, stride=1, pad=1, dilation=2)", lambda: nn.MaxPool2d(3,1,1,dilation=2), [6,9,9]),
    ("maxpool(3, pad=2)", lambda: nn.MaxPool2d(3,padding=2), [6,9,9]),
    ("maxpool(9)", lambda: nn.MaxPool2d(9), [6,8,9]),
    ("maxpool(5, stride=2, ceil=true)", lambda: nn.MaxPool2d(5,2,ceil_mode=True), [6,2,2]),
    ("maxpool(3, stride=2)", lambda: nn.MaxPool1d(3,2), [6,9]),
    ("avgpool(2)", lambda: nn.AvgPool2d(2), [6,7,8]),
    ("avgpool(3, stride=2, pad=1, ceil=true)", lambda: nn.AvgPool2d(3,2,1,ceil_mode=True), [6,6,8]),
    ("avgpool(5, stride=4, ceil=true)", lambda: nn.AvgPool2d(5,4,ceil_mode=True), [6,2,3]),
    ("avgpool(2, pad=2)", lambda: nn.AvgPool2d(2,padding=2), [6,9,9]),
    ("avgpool(global)", lambda: nn.AdaptiveAvgPool2d(1), [6,7,8]),
    ("maxpool(global)", lambda: nn.AdaptiveMaxPool1d(1), [6,7]),
    ("adaptive_avgpool([3, 5])", lambda: nn.AdaptiveAvgPool2d((3,5)), [6,7,4]),
    ("upsample(2)", lambda: nn.Upsample(scale_factor=2), [6,7,4]),
    ("upsample([2, 3], mode=\"bilinear\")", lambda: nn.Upsample(scale_factor=(2,3),mode='bilinear'), [6,7,4]),
    ("upsample(size=[5, 9])", lambda: nn.Upsample(size=(5,9)), [6,7,4]),
    ("pad(2)", lambda: nn.ZeroPad2d(2), [6,7,4]),
    ("pad([2, 1])", lambda: nn.ZeroPad2d((1,1,2,2)), [6,7,4]),
    ("pad([[0, 1], [2, 3]])", lambda: nn.ZeroPad2d((2,3,0,1)), [6,7,4]),
    ("pad(3, mode=\"reflect\")", lambda: nn.ReflectionPad2d(3), [6,7,4]),
    ("pad(4, mode=\"reflect\")", lambda: nn.ReflectionPad2d(4), [6,7,4]),
    ("pad(4, mode=\"replicate\")", lambda: nn.ReplicationPad1d(4), [6,3]),
    ("dropout(0.1)", lambda: nn.Dropout(0.1), [6,3]),
    ("flatten", lambda: nn.Flatten(), [6,3,4]),
    ("reshape([2, -1])", lambda: nn.Unflatten(1,(2,-1)), [12]),
    ("reshape([5, -1])", lambda: nn.Unflatten(1,(5,-1)), [12]),
    ("identity", lambda: nn.Identity(), [12]),
]


def line(text, make, dims):
    module, x = make(), torch.zeros(2, *dims)
    with FlopCounterMode(display=False) as flops:
        out = list(module(x).shape[1:])
    if 0 in out:
        raise ValueError("an empty output, which archc refuses")
    owned = list(module.named_parameters()) + list(module.named_buffers())
    params = ", ".join(f"{name} {list(p.shape)}" for name, p in owned)
    return f"{text} | {dims} | {out} | {params} | {flops.get_total_flops() // 4}"


print(f"# Written by layers.py with PyTorch {torch.__version__.split('+')[0]}.")
for case in CASES:
    try:
        print(line(*case))
    except (RuntimeError, ValueError):
        print(f"{case[0]} | {case[2]} | error | |")
