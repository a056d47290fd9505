//! `cargo fuzz run --sanitizer none yaml`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| argosy_fuzz::yaml(bytes));
