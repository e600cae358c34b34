//! How is it computed? Slices in, slices out; knows no graph and no candle.
