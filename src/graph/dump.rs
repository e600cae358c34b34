//! A graph as text, for snapshots and `--dump`.
