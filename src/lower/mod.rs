//! Hand it on: the candle module, its parameters, and weights from files.
