//! Links the lexer, the interpreter and the analyzer without std and without a heap.
//!
//! It is built, not run: on a microcontroller the loop would take its bytes from a port.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use feedhold_gcode_parse::{Analyzer, Flavor, Number};

/// Where the loader begins.
// SAFETY: no other item has this name, as the start files of the C runtime are left out.
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    for flavor in Flavor::ALL {
        let mut analyzer = Analyzer::new(flavor);
        analyzer.push(black_box(
            b"G21 G90\r\nG1 X1.5 Y-2 F300 (arc next)\nG2 X0 Y0 R2\nG4 P.5\nM3",
        ));
        black_box(analyzer.finish());
    }
    black_box(Number::new(black_box(b"12345678901234567890.5")).map(|number| number.to_f64()));
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// The compiled `core` names this function for unwinding, which `panic = "abort"` never does.
// SAFETY: no other item has this name, as std is not linked.
#[unsafe(no_mangle)]
pub extern "C" fn rust_eh_personality() {}
