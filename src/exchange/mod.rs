//! In and out: networks in the words of other tools.
//!
//! One folder per language: [`arch`] writes the elaborated network as a flat file, which shows what the compiler understood
//! and gives the same graph when it is read.

pub mod arch;
