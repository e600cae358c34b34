def set_training(module: nn.Module, mode: bool = True) -> nn.Module:
    """`nn.Module.train` of a module that has a part called `training`, as PyTorch's own flag is."""
    object.__setattr__(module, "training", mode)
    for part in module.children():
        part.train(mode)
    return module
