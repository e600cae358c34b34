class Scale(nn.Module):
    """A learned factor: one a channel, or one in all."""

    def __init__(self, width: int, init: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((width,), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.reshape(1, -1, *(1,) * (x.dim() - 2))
