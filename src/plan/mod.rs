//! When and where in memory?
