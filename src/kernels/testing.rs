//! What kernel tests share.
