class ChannelNorm(nn.LayerNorm):
    """Normalises the channels at each position of [N, C, L] or [N, C, H, W]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)
