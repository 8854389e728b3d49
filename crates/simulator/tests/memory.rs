//! What a controller remembers of the lines it has read, and what a power cut leaves of it.

use feedhold_simulator::{Config, Held, LogMode, Memory, MotionLog, Simulator};

fn machine(controller: &str) -> Simulator {
    let params = [("controller", controller), ("motion", "instant")];
    let heat = (controller == "marlin").then_some(("heat", "instant"));
    Simulator::new(Config::from_params(params.into_iter().chain(heat)).expect("good parameters"))
}

fn feed(machine: &mut Simulator, program: &str) {
    for line in program.lines() {
        let now = machine.now();
        assert_eq!(machine.receive(now, line.as_bytes()), line.len());
        assert_eq!(machine.receive(now, b"\n"), 1);
        while let Some(at) = machine.next_event().filter(|_| machine.is_working()) {
            machine.transmit(at, &mut Vec::new());
        }
    }
}

fn field(memory: &Memory, name: &str) -> Option<Held> {
    memory
        .fields()
        .find(|(field, _)| *field == name)
        .map(|(_, held)| held)
}

/// Checks fields given as `name=value`, joined by commas.
fn check(machine: &Simulator, want: &str) {
    let memory = machine.memory();
    for pair in want.split(", ") {
        let (name, value) = pair.split_once('=').expect("name=value");
        let told = match field(&memory, name) {
            Some(Held::Word(word)) => word.to_owned(),
            Some(Held::Number(number)) => number.to_string(),
            None => "nothing".to_owned(),
        };
        assert_eq!(told, value, "{name}");
    }
}

#[test]
fn a_mill_remembers_modes_offsets_and_what_turns() {
    let mut mill = machine("grbl");
    feed(
        &mut mill,
        "G20 G91 F10\nG10 L2 P2 X1\nG55 G18\nG1 X2\nG92 Y2\nG43.1 Z1\nM3 S900\nM8\nT4",
    );
    check(
        &mill,
        "units=G20, distance=G91, plane=G18, coordinate system=G55, feed=254, x=50.8, work x=25.4, g55 x=25.4, g92 y=-50.8, \
         tool length=25.4, turning=M3, turning at=900, flowing=on, tool=4, $100=250, motion=G1",
    );
    // It stands at its origin, for all it knows. The EEPROM keeps its coordinate systems.
    mill.power_cycle(mill.now());
    check(
        &mill,
        "units=G21, distance=G90, coordinate system=G54, feed=0, x=0, planned x=0, g55 x=25.4, g92 y=0, tool length=0, turning=M5, flowing=off",
    );
}

#[test]
fn a_printer_remembers_modes_heat_limits_and_more() {
    let mut printer = machine("marlin");
    feed(
        &mut printer,
        "G28\nM109 S200\nM140 S60\nM141 S40\nM106 S99.7\nM83\nG1 X5 E2 F600\nG92 X0 E1\nM220 S80\nM220 B\nM220 S90\nM204 S500\n\
         M900 K0.08\nM420 S1 Z5\nM290 Z0.1\nM290 S0.05\nM486 S3\nM486 C\nM486 P1\nM486 P2\nM486 U2\nG10",
    );
    check(
        &printer,
        "extruder=M83, feed=600, x=5, work x=0, e=1, hotend 0=200, bed=60, chamber=40, fan 0=99, feed percent=90, \
         feed percent kept=80, m204 P=500, m204 T=500, pressure advance=0.08, mesh=on, mesh fade=5, object=3, \
         object 1 cancelled=1, object 2 cancelled=nothing, object 3 cancelled=1, retracted=in, homed X=1",
    );
    feed(&mut printer, "M220 R\nM486 T4");
    check(
        &printer,
        "feed percent=80, object=nothing, object 1 cancelled=nothing",
    );
    printer.power_cycle(printer.now());
    check(
        &printer,
        "extruder=M82, feed=1500, x=0, hotend 0=0, fan 0=0, feed percent=100, m204 P=3000, pressure advance=0, mesh=off, \
         babystep z=0, homed X=0, retracted=out",
    );
}

#[test]
fn with_a_point_on_the_way_only_the_named_axes_go_to_the_stored_place() {
    let mut mill = machine("grbl");
    feed(&mut mill, "G0 X1 Y2 Z3\nG28.1\nG0 X10 Y10 Z10\nG28 Z12");
    check(&mill, "x=10, y=10, z=3, planned z=3, planned x=10");
    feed(&mut mill, "G0 Z12\nG28");
    check(&mill, "x=1, y=2, z=3");
}

#[test]
fn a_forked_machine_goes_its_own_way() {
    let mut mill = machine("grbl");
    feed(&mut mill, "G1 X1 F100");
    let mut other = mill.fork(MotionLog::new(LogMode::Keep { limit: 10 }));
    assert_eq!(other.memory(), mill.memory());
    feed(&mut other, "X2");
    check(&other, "x=2");
    check(&mill, "x=1");
    assert_eq!((other.log().len(), mill.log().len()), (1, 1));
    feed(&mut mill, "X2");
    assert_eq!(other.memory(), mill.memory());
}
