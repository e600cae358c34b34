//! What every graph promises, checked after elaboration and after every pass.
