//! Modal state and motion: an interpreter over any text.

use feedhold_gcode_parse::{
    Analyzer, AxisOnlyLines, Block, Bounds, Effect, Flavor, Interpreter, LineReader, ModalState,
    Motion, MotionKind, Position,
};

use super::{Input, assert_shown, pieces};

pub(super) fn judge(data: &[u8]) {
    let mut input = Input::new(data);
    let flavor = input.pick(&Flavor::ALL);
    let lines = input.pick(&[AxisOnlyLines::Unknown, AxisOnlyLines::RepeatMotion]);
    let cuts = input.byte();
    let source = input.rest();
    let fresh = Interpreter::new(flavor).with_axis_only_lines(lines);
    let whole = run(fresh.clone(), &[source]);
    let cut = pieces(source, cuts);
    let split = run(fresh.clone(), &cut);
    assert!(
        whole.machine.same_bits(&split.machine),
        "another cut, another state"
    );
    assert_eq!(whole.effects, split.effects, "another cut, other effects");
    analyzers_agree(&fresh, source, &cut, &whole);
}

struct Run {
    machine: Interpreter,
    effects: Vec<String>,
    motions: u64,
}

fn run(mut machine: Interpreter, pieces: &[&[u8]]) -> Run {
    let mut reader = <LineReader>::new();
    let mut effects = Vec::new();
    let mut motions = 0;
    let mut take = |text: &[u8]| {
        let effect = apply(&mut machine, text);
        motions += u64::from(effect.motion.is_some());
        effects.push(format!("{effect:?}"));
    };
    for piece in pieces {
        let mut input = *piece;
        while let Some(line) = reader.next(&mut input) {
            take(line.text);
        }
    }
    if let Some(line) = reader.finish() {
        take(line.text);
    }
    Run {
        machine,
        effects,
        motions,
    }
}

/// Does what a line says, and judges what came of it.
pub(super) fn apply(machine: &mut Interpreter, text: &[u8]) -> Effect {
    let before = *machine.position();
    let effect = Block::with(machine.flavor(), text, |block| machine.apply(block));
    effect_laws(machine, &before, &effect);
    effect
}

fn effect_laws(machine: &Interpreter, before: &Position, effect: &Effect) {
    if let Some(motion) = &effect.motion {
        assert!(
            motion.from.same_bits(before),
            "a motion begins elsewhere: {motion:?}"
        );
        assert!(
            motion.to.same_bits(machine.position()),
            "a motion ends elsewhere: {motion:?}"
        );
        motion_laws(motion);
    }
    let waits = effect.dwell_s.unwrap_or(0.0);
    assert!(waits.is_finite() && waits >= 0.0, "a dwell of {waits} s");
    for finding in effect.findings.as_slice() {
        assert_shown(&finding.at_line(1).to_string(), 300);
    }
    state_laws(machine.state());
    let offsets = [
        machine.position(),
        machine.offset(),
        machine.g92_offset(),
        machine.tool_offset(),
    ];
    for position in offsets {
        assert_plain(position);
    }
}

fn assert_plain(position: &Position) {
    let plain = |value: &f64| value.is_finite() && value.to_bits() != (-0.0_f64).to_bits();
    assert!(position.0.iter().all(plain), "{position:?}");
}

fn motion_laws(motion: &Motion) {
    assert_plain(&motion.to);
    let positive = |value: f64| value.is_finite() && value >= 0.0;
    assert!(
        positive(motion.length()) && positive(motion.feed_mm_per_min),
        "{motion:?}"
    );
    assert!(
        motion.minutes().is_none_or(positive),
        "{motion:?} takes {:?} min",
        motion.minutes()
    );
    assert!(motion.extrusion().is_finite());
    if let MotionKind::Arc(arc) = motion.kind {
        assert!(
            arc.radius.is_finite() && arc.radius > 0.0 && arc.sweep.is_finite() && arc.sweep > 0.0,
            "{arc:?}"
        );
        assert!(arc.center.iter().all(|value| value.is_finite()), "{arc:?}");
    }
    let mut bounds = Bounds::default();
    motion.extend(&mut bounds);
    for (index, axis) in feedhold_gcode_parse::Axis::ALL.into_iter().enumerate() {
        let (low, high) = bounds.range(axis).expect("a motion has ends");
        for end in [&motion.from, &motion.to] {
            assert!(
                low <= end.0[index] && end.0[index] <= high,
                "{axis}: {motion:?} in {bounds:?}"
            );
        }
        assert!(low.is_finite() && high.is_finite());
    }
}

fn state_laws(state: &ModalState) {
    let reals = [
        state.feed,
        state.spindle_speed,
        state.fan,
        state.hotend_target,
        state.bed_target,
        state.feed_percent,
        state.flow_percent,
    ];
    let plain = |value: f64| value.is_finite() && value.to_bits() != (-0.0_f64).to_bits();
    assert!(reals.into_iter().all(plain), "{state:?}");
    assert!(state.same_bits(&state.clone()));
}

fn analyzers_agree(fresh: &Interpreter, source: &[u8], cut: &[&[u8]], run: &Run) {
    let mut whole = Analyzer::with_interpreter(fresh.clone());
    whole.push(source);
    let mut split = Analyzer::with_interpreter(fresh.clone());
    cut.iter().for_each(|piece| split.push(piece));
    assert!(whole.machine().same_bits(split.machine()));
    let (whole, split) = (whole.finish(), split.finish());
    assert_eq!(whole, split, "another cut, other metadata");
    assert_eq!(whole.bytes, source.len() as u64);
    assert_eq!(whole.lines, run.effects.len() as u64);
    assert_eq!(whole.motions.count, run.motions);
    let sums = [whole.motions.cutting_mm, whole.motions.cutting_s];
    assert!(
        sums.into_iter().all(|sum| sum.is_finite() && sum >= 0.0),
        "{:?}",
        whole.motions
    );
}
