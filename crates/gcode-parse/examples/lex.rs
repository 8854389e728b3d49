//! Prints the tokens of a program: `cargo run -p feedhold-gcode-parse --example lex -- grbl < part.nc`.

use std::io::{self, Read as _, Write as _};

use feedhold_gcode_parse::{Flavor, LineReader, tokens};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flavor = std::env::args()
        .nth(1)
        .as_deref()
        .unwrap_or("grbl")
        .parse::<Flavor>()?;
    let mut reader = <LineReader>::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut out = io::BufWriter::new(io::stdout().lock());
    loop {
        let count = io::stdin().lock().read(&mut buffer)?;
        let mut input = buffer.get(..count).unwrap_or(&[]);
        while let Some(line) = reader.next(&mut input) {
            for token in tokens(flavor, line.text) {
                writeln!(out, "{}: {token:?}", line.number)?;
            }
        }
        if count == 0 {
            break;
        }
    }
    if let Some(line) = reader.finish() {
        for token in tokens(flavor, line.text) {
            writeln!(out, "{}: {token:?}", line.number)?;
        }
    }
    Ok(out.flush()?)
}
