//! Three readings of one program, made apart: the product's interpreter, the simulated machine, and the plain oracle of the tests.
//! Behind every line they hold the same to be in force.

use feedhold::gcode_parse::{Block, Flavor, Interpreter};
use feedhold::job::Settings;
use feedhold::stream_core::dialect::Dialect;
use feedhold_tests::oracle::modal::{self, Difference, Firmware};
use feedhold_tests::random::Recipe;
use feedhold_tests::resume::{Machine, of_interpreter, of_machine, wild};

const BOTH: [(Dialect, Flavor, Firmware); 2] = [
    (Dialect::Grbl, Flavor::Grbl, Firmware::Grbl),
    (Dialect::Marlin, Flavor::Marlin, Firmware::Marlin),
];

/// Fields that only one side follows are left out here; `resume-check` asks for them all.
fn check(name: &str, dialect: Dialect, firmware: Firmware, program: &str) {
    let chain = Settings::new(dialect).chain().expect("a chain");
    let wire = chain
        .program(program)
        .unwrap_or_else(|refused| panic!("{name}: {refused}"));
    let mut wire = wire.lines().peekable();
    let mut interpreter = Interpreter::new(dialect.flavor());
    let mut paper = modal::Machine::new(firmware);
    let mut machine = Machine::homed(dialect).expect("a machine");
    let mut witness = modal::Machine::new(firmware);
    witness.stand(&of_machine(&machine.simulator().memory()));
    for (line, text) in (1..).zip(program.lines()) {
        for oracle in [&mut paper, &mut witness] {
            oracle
                .read(text)
                .unwrap_or_else(|refused| panic!("{name}, line {line}: {refused}"));
        }
        while let Some(wire) = wire.next_if(|wire| wire.source_line == line) {
            interpreter.apply(&Block::parse(dialect.flavor(), wire.text));
            machine
                .send(wire.text)
                .unwrap_or_else(|error| panic!("{name}, line {line}: {error}"));
        }
        let told = |differences: &[Difference]| {
            let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
            assert!(told.is_empty(), "{name}, line {line} `{text}`: {told:?}");
        };
        told(&paper.fields().contradictions(&of_interpreter(&interpreter)));
        let memory = of_machine(&machine.simulator().memory());
        told(&witness.fields().contradictions(&memory));
    }
}

#[test]
fn programs_that_change_everything_are_read_alike() {
    for (dialect, _, firmware) in BOTH {
        for seed in 0..16 {
            let name = format!("{dialect:?}, seed {seed}");
            check(&name, dialect, firmware, &wild(dialect, seed, 200));
        }
    }
}

#[test]
fn programs_as_people_write_them_are_read_alike() {
    for (dialect, flavor, firmware) in BOTH {
        for seed in 0..6 {
            let recipe = Recipe {
                flavor,
                seed,
                lines: 150,
            };
            // Random programs begin at the work's zero.
            let program = format!("G0 X0 Y0 Z0\n{}", recipe.program());
            check(&format!("{recipe:?}"), dialect, firmware, &program);
        }
    }
}
