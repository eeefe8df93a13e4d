//! The fuzzer: libFuzzer on the target that `IM_FUZZ_TARGET` names. Built by `cargo xtask fuzz`; in
//! any other build there is no fuzzer in it.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod fuzzer {
    use std::sync::OnceLock;

    use im_fuzz::Target;
    use libfuzzer_sys::fuzz_target;

    static TARGET: OnceLock<&'static Target> = OnceLock::new();

    fn named() -> &'static Target {
        let name = std::env::var("IM_FUZZ_TARGET").unwrap_or_default();
        im_fuzz::target(&name).expect("IM_FUZZ_TARGET names a target")
    }

    fuzz_target!(|input: &[u8]| (TARGET.get_or_init(named).check)(input));
}

#[cfg(not(fuzzing))]
fn main() {}
