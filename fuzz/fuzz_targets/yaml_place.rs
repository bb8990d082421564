#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bundler::fuzz::run("yaml_place", data));
