//! `cargo fuzz run --sanitizer none templates`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| argosy_fuzz::templates(bytes));
