//! The program brings its own entry point, so the one of the C runtime must stay away. `memcpy` and its like
//! come from libc here; on bare metal the compiler's own built-ins bring them.

fn main() {
    println!("cargo::rustc-link-arg-bins=-nostartfiles");
    println!("cargo::rustc-link-arg-bins=-lc");
    println!("cargo::rerun-if-changed=build.rs");
}
