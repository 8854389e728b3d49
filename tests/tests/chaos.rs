//! A slice of the fault world that is the same each time. `cargo xtask chaos` plays as much as one has time for.

use feedhold_tests::chaos::{
    Cell, End, Plan, Run, Schedule, StopAtFirst, Telling, Until, Violation, play, run,
};

/// Fails with the line that plays the run again.
#[track_caller]
fn holds(found: &[(Schedule, Violation)]) {
    if let Some((schedule, violation)) = found.first() {
        panic!("{violation}\n  cargo xtask chaos --replay '{schedule}'");
    }
}

#[test]
fn every_cell_of_the_matrix_once() {
    let cells: Vec<Cell> = Cell::all()
        .filter(|cell| cell.impossible().is_none())
        .collect();
    let tally = play(
        &Plan::Cells(cells),
        Until::Runs(1),
        1,
        None,
        StopAtFirst::No,
    );
    holds(&tally.found);
    assert!(
        tally.struck > tally.runs / 2,
        "{} faults struck",
        tally.struck
    );
}

#[test]
fn a_world_that_refuses_everything_would_be_safe_too() {
    let tally = play(&Plan::Free, Until::Runs(400), 1, None, StopAtFirst::No);
    holds(&tally.found);
    assert!(tally.complete * 10 > tally.runs * 3, "{tally:?}");
    assert!(tally.resumes > 100 && tally.motions > 5_000, "{tally:?}");
}

#[test]
fn a_run_without_faults_is_complete() {
    for seed in 0..60 {
        let calm = Schedule {
            strikes: Vec::new(),
            ..Schedule::free(seed)
        };
        let Run { end, resumes, .. } = run(&calm, None, Telling::Digest);
        assert_eq!((end, resumes), (Ok(End::Complete), 0), "{calm}");
    }
}

/// Runs that once failed. What was wrong stands above each.
#[test]
fn runs_that_once_failed_hold() {
    for text in [
        // A spindle speed that does not change waits for nothing, and counted as proof that the planner was empty.
        "grbl/15/17/stops/a3b95d3b0da1b768",
        // An offset set anew was not told because two places fitted, and the chosen line was cut beside the part.
        "grbl/40/7/chooses/d82e5459332ea3b5,rezeroed@557us",
        // A controller that had restarted unseen stood where line 3 ends, and proved it.
        "grbl/5/6/chooses/30b77f62f2ab475e,power-cut@1063391us",
        // A printer that had restarted unseen counted from 0, as it does before the first line.
        "marlin/36/5/stops/cd9ee42f32b1712,restarted-unseen@21314us",
        // The way back behind a homing left the nozzle over the print.
        "marlin/29/14/chooses/9a37f5d185838db7,power-cut@2239072us",
        // A printer whose zero was moved at its panel was brought back to another place.
        "marlin/1/16/chooses/dac4c87ded60d5d5,rezeroed@2968041us",
        // A line number that a printer named before it was asked counted as the answer, and the homing was made again.
        "marlin/47/5/stops/6c7df96db7983fd3,host-killed@unanswered.0,resend-old@in-resume.0",
        // The operator said that the zero was where it was, and somebody had set another one since the homing.
        "marlin/21/31/chooses/979a787a58956209,rezeroed@8873274us,restarted-unseen@5338552us",
        // The simulated grbl that had restarted stood at its origin, and its parser still where it had been.
        "grbl/37/15/chooses/2736500f393ecab,file-replaced@in-dwell.6",
        // A program behind an approach was followed from a place that a report had told in the middle of it.
        "grbl/19/92/chooses/ddb5b17154aead98,merged-lines@planner-full.15",
        // A bit that flipped made a hold, or a way of many metres, and nobody stood beside the machine.
        "grbl/9/55/stops/9b76b1f487e9cfb7,garbled-to-machine@planner-full.0",
        "grbl/40/35/chooses/86c3ec2e2d4ddbcc,garbled-to-machine@in-arc.0",
        // A line that would have been refused went down with a reset, and the job was blamed for its silence.
        "grbl/27/6/chooses/39ff5c8c3f00d350,link-dropped-reset@1143644us,refused-line@13170us",
        // Another machine ran its own start-up block.
        "grbl/17/2/chooses/4df093c58e2dd008,foreign-device@30019us,startup-block@31574us",
        // Lines that were on their way ran in a controller that had been seen to restart, and where it stood proved that they had run.
        "grbl/23/6/chooses/2587fcd0c821d376,emergency-stop@synced.3",
        "grbl/20/6/stops/f17fa715505f2b26,emergency-stop@synced.3",
        "grbl/41/6/chooses/501392a9d93a9ca6,brown-out@synced.3",
        // A printer that restarted in the first lines asked for line 1, like one that had misread it, and was given it.
        "marlin/43/5/chooses/4d3dda14c1ff995a,garbled-from-machine@2144us,brown-out@2290us",
        "marlin/14/5/stops/f9e598712dbb90f6,brown-out@2496us,garbled-from-machine@2458us",
        // One `ok` too many counted a motion as executed that had not begun.
        "marlin/2/26/stops/c5e57edf11c79478,doubled-ok@planner-full.0",
        "marlin/2/26/stops/f5fc172cea233555,second-process@planner-full.0",
        // The question that proves the count lost its answer, and was asked for ever.
        "marlin/30/2/stops/461819b231409186,lost-ok@before-first-byte.0",
        "marlin/31/8/stops/d7b97e6bbc9f664a,merged-lines@before-first-byte.0",
        // An answer that came twice counted as that of the question whether every motion had finished.
        "marlin/43/25/chooses/48a81165f3e20f6c,power-cut@planner-full.0,doubled-ok@in-resume.0",
        // A flipped bit made `M410` of an `M400`, and the job was blamed for what it threw away.
        "marlin/28/9/chooses/3aeedf5afd97a26a,garbled-to-machine@last-line.0",
        // Lines that a printer had taken filled the window when they were sent again, and the question after a silence waited behind them.
        "marlin/0/5/chooses/525d7e4c376efd40,power-cut@unanswered.7,resend-old@in-resume.22",
        // A program began behind a way back whose controller had restarted with the last answer.
        "grbl/25/13/chooses/1f38fc8e1100a06c,power-cut@unanswered.11,brown-out@in-resume.20",
        // A grbl that moved refused to say who it was, and was asked as fast as it answered.
        "grbl/45/33/chooses/28ada6a67ca08568,power-cut@unanswered.23,late-ok@in-resume.0",
        "grbl/32/6/chooses/85f05fca053d1871,power-cut@unanswered.0,garbled-to-machine@in-resume.7",
        // A pausing job gave a line again that had left before, and was blamed for it.
        "marlin/27/5/stops/30787d3638635628,resend-old@1135957us,operator-pause@875us",
        // A line of which only the end was missing was ended at the panel, and then by the first question of the next process, which moved
        // the machine, and to another place since somebody had set the zero.
        "marlin/31/12/chooses/192f2e8e56c888fd,rezeroed@planner-full.0",
        "marlin/0/11/chooses/2531f0ea07afb296,rezeroed@mid-line.0",
        // Of two lines that were to be refused one was, and the judge waited for the other.
        "grbl/11/6/chooses/73c150ea22641b76,refused-line@917us,refused-line@812us",
        // The way back was streamed here, and sent line by line by the command, which is not so watched; and a request that made no sense
        // came in front of it.
        "marlin/32/5/chooses/25d01ed3e5ce123f,power-cut@unanswered.0,resend-old@in-resume.6",
        "marlin/41/5/chooses/53d471e29010f28a,link-dropped@unanswered.0,resend-beyond@in-resume.12",
        // A program behind it was followed from a place that a report had told in the middle of it.
        "grbl/14/49/chooses/30d57e7a35bb6dab,link-dropped-reset@mid-line.9",
        "grbl/27/40/chooses/d2e004bfade31a8d,stale-bytes@planner-full.0",
        // An alarm on the way back took the answer with it that the command waited for.
        "grbl/14/17/chooses/600b56fef42f308d,power-cut@unanswered.1,emergency-stop@in-resume.13",
        "grbl/24/39/chooses/484d22b331aa53cc,emergency-stop@12610716us,restarted-unseen@6164522us",
        // A printer that died while it was asked counted as one that knows nothing.
        "marlin/27/5/chooses/e107736e6c2a8c0,link-dropped@unanswered.0,emergency-stop@in-resume.10",
        // What waited for the link left into an alarm, and into a printer that was dead.
        "grbl/35/16/chooses/d469229a6e7708f2,emergency-stop@rx-full.0",
        "marlin/15/5/stops/9ab7d9bde27df218,emergency-stop@in-dwell.0",
        // A refusal that no line waited for, because an `ok` had come twice, was counted and forgotten.
        "grbl/21/16/chooses/6d2777459712a952,doubled-ok@258740us,refused-line@277282us",
        // A refusal was lost on the wire, and its line given again.
        "grbl/15/6/chooses/f1e029a3475a84d2,refused-line@16031us,merged-lines@1977651us",
    ] {
        let schedule: Schedule = text.parse().expect("a run");
        if let Err(violation) = run(&schedule, None, Telling::Digest).end {
            panic!("{violation}\n  cargo xtask chaos --replay '{schedule}'");
        }
    }
}
