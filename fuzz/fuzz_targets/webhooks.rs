//! `cargo fuzz run --sanitizer none webhooks`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| argosy_fuzz::webhooks(bytes));
