//! What a controller says of itself when the cable is put back in.

use std::time::Duration;

use feedhold_simulator::{Config, OnOpen, Touch};
use feedhold_stream_core::{
    dialect::{Dialect, Heater, MachineState},
    resume::Facts,
    streamer::{self, State},
};
use feedhold_tests::world::{End, World, chunks};

const MINUTES: Duration = Duration::from_secs(600);

fn world(dialect: Dialect, params: &[(&str, &str)]) -> World {
    let mut all = vec![("controller", dialect.name()), ("baud", "115200")];
    all.extend(params);
    let machine = Config::from_params(all).expect("the parameters are good");
    World::new(streamer::Config::new(dialect), machine).with_facts()
}

fn ready(world: &mut World) -> Facts {
    world.run_until(MINUTES, |world| world.streamer.state() == State::Ready);
    world
        .streamer
        .facts()
        .expect("facts were wished for")
        .clone()
}

/// Streams until so many motions were executed, then pulls the cable.
fn cut(world: &mut World, dialect: Dialect, program: &str, motions: u64) {
    world.load(chunks(dialect, program, 10));
    world.run_until(MINUTES, |world| world.machine.log().len() >= motions);
    world.unplug();
}

#[test]
fn a_grbl_at_rest_tells_who_it_is_and_how_it_is_set_up() {
    let mut world = world(Dialect::Grbl, &[]);
    let facts = ready(&mut world);
    assert_eq!(facts.identity.firmware, "1.1h.20190830");
    assert_eq!(facts.state, Some(MachineState::Idle));
    assert_eq!(facts.xyz(), Some([0.0; 3]));
    assert_eq!(facts.steps_per_mm, Some([250.0; 3]));
    assert_eq!(
        facts.words.as_deref(),
        Some("G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0")
    );
    assert!(
        facts
            .offsets
            .systems
            .iter()
            .all(|origin| *origin == Some([0.0; 3]))
    );
    assert_eq!(facts.offsets.tool_length, Some(0.0));
    assert!(world.executed().is_empty(), "nothing moves on connect");
}

#[test]
fn a_grbl_in_motion_is_waited_for_and_never_moved() {
    let mut world = world(Dialect::Grbl, &[]);
    let program = "G10 L2 P2 X1 Y2 Z3\nG55 G1 F300\nX10\nX20\nX30\nX40\n".to_owned()
        + &"X50\nX40\n".repeat(40);
    cut(&mut world, Dialect::Grbl, &program, 9);
    world.plug(OnOpen::Keep, 0);
    let facts = ready(&mut world);
    assert!(!facts.was_reset);
    let executed = world.executed();
    let last = executed.last().expect("motions").target;
    assert_eq!(facts.xyz(), Some([last[0], last[1], last[2]]));
    assert_eq!(
        facts.words.as_deref(),
        Some("G1 G55 G17 G21 G90 G94 M5 M9 T0 F300 S0")
    );
    assert_eq!(facts.offsets.systems[1], Some([1.0, 2.0, 3.0]));
    assert_eq!(world.pass(MINUTES), None);
    assert!(world.executed().is_empty(), "nothing moves on connect");
}

#[test]
fn a_machine_that_reports_work_positions_in_inches_is_understood() {
    let mut world = world(Dialect::Grbl, &[]);
    let program = "$10=0\n$13=1\nG10 L2 P1 X25.4 Y0 Z0\nG1 X25.4 Y50.8 F600\nG4 P0.1\nX30\n";
    cut(&mut world, Dialect::Grbl, program, 4);
    world.plug(OnOpen::Keep, 0);
    let facts = ready(&mut world);
    let [x, y, z] = facts.xyz().expect("a position");
    assert!(
        (x - 55.4).abs() < 0.01 && (y - 50.8).abs() < 0.01 && z.abs() < 0.01,
        "{x} {y} {z}"
    );
    let [x, ..] = facts.offsets.systems[0].expect("G54");
    assert!((x - 25.4).abs() < 0.01, "{x}");
}

#[test]
fn a_reset_is_seen() {
    for dialect in [Dialect::Grbl, Dialect::Marlin] {
        let mut world = world(dialect, &[]);
        cut(&mut world, dialect, &"G1 X10 F600\nG1 X0\n".repeat(20), 3);
        world.plug(OnOpen::Reset, 0);
        assert!(ready(&mut world).was_reset, "{dialect}");
    }
}

#[test]
fn a_held_machine_is_not_ready_and_says_so() {
    let mut world = world(Dialect::Grbl, &[]);
    cut(
        &mut world,
        Dialect::Grbl,
        &"G1 X100 F600\nG1 X0\n".repeat(20),
        10,
    );
    let now = world.now();
    world.machine.touch(now, Touch::HoldButton);
    world.plug(OnOpen::Keep, 0);
    let end = world.run(MINUTES);
    assert!(matches!(end, End::Refused(_)), "{end:?}");
    let facts = world.streamer.facts().expect("facts");
    assert_eq!(facts.state, Some(MachineState::Hold(0)));
}

#[test]
fn a_marlin_finishes_what_it_has_and_names_its_last_line() {
    let mut world = world(Dialect::Marlin, &[("heat", "instant")]);
    let program = "M140 S60\nG1 X10 E1 F600\n".to_owned() + &"G1 X90\nG1 X10\n".repeat(40);
    cut(&mut world, Dialect::Marlin, &program, 9);
    let number = world.streamer.number_anchor().expect("numbered");
    world.plug(OnOpen::Keep, 0);
    let facts = ready(&mut world);
    let executed = world.executed();
    let last = executed.last().expect("motions");
    assert_eq!(facts.last_line, last.line);
    assert!(
        facts.last_line <= Some(number.number),
        "{facts:?} {number:?}"
    );
    let [x, y, z] = facts.xyz().expect("a position");
    assert_eq!([x, y, z], [last.target[0], last.target[1], last.target[2]]);
    assert_eq!(facts.real_position.and_then(|at| at.get(b'X')), Some(x));
    let bed = facts
        .temperatures
        .and_then(|all| all.get(Heater::Bed))
        .expect("a bed");
    assert_eq!(bed.target_celsius, Some(60.0));
    assert!(facts.identity.uuid.is_some(), "{:?}", facts.identity);
    assert_eq!(world.pass(MINUTES), None);
    assert!(world.executed().is_empty(), "nothing moves on connect");
}

#[test]
fn a_marlin_that_was_asked_before_tells_the_same() {
    let mut world = world(Dialect::Marlin, &[]);
    let program = "G1 X10 F600\n".to_owned() + &"G1 X90\nG1 X10\n".repeat(40);
    cut(&mut world, Dialect::Marlin, &program, 9);
    world.plug(OnOpen::Keep, 0);
    let first = ready(&mut world);
    assert!(first.last_line.is_some_and(|last| last >= 9), "{first:?}");
    let _ = world.executed();
    // Somebody asks and leaves again, such as a resume that is refused.
    for _ in 0..3 {
        world.unplug();
        world.plug(OnOpen::Keep, 0);
        let again = ready(&mut world);
        assert_eq!(again.last_line, first.last_line);
        assert_eq!(again.xyz(), first.xyz());
        assert!(!again.was_reset);
    }
    world.load(chunks(Dialect::Marlin, "G1 X20\nG1 X30\n", 10));
    assert_eq!(world.run(MINUTES), End::Finished);
    let executed = world.executed();
    assert_eq!(executed.len(), 2, "{executed:?}");
    let next = first.last_line.map(|last| last + 1);
    assert_eq!(executed[0].line, next, "the count goes on");
}

#[test]
fn a_lossy_wire_only_costs_time() {
    for seed in 0..40_u32 {
        for (dialect, faults) in [
            (Dialect::Grbl, "garble-tx:0.002"),
            (Dialect::Marlin, "garble-tx:0.002"),
            (Dialect::Marlin, "drop-ok:0.1"),
        ] {
            let seed = seed.to_string();
            let mut world = world(dialect, &[("seed", &seed), ("fault", faults)]);
            let facts = ready(&mut world);
            assert!(facts.xyz().is_some(), "seed {seed} {dialect}: {facts:?}");
            assert!(world.executed().is_empty(), "nothing moves on connect");
        }
    }
}
