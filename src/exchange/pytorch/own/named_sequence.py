class NamedSequence(nn.Sequential):
    """Modules in a row under any names, those of `nn.Module`'s own members too."""

    def __init__(self, *parts: tuple[str, nn.Module]) -> None:
        super().__init__()
        self._modules.update(parts)

    train = set_training
