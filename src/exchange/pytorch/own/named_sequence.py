def named_sequence(*parts: tuple[str, nn.Module]) -> nn.Sequential:
    """Modules in a row under any names, those of `nn.Module`'s own members too."""
    row = nn.Sequential()
    row._modules.update(parts)
    return row
