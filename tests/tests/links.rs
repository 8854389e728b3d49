//! Whole jobs through the front door over each kind of cable, small; `cargo xtask sim` is the same at full size.

use std::io::Write;

use feedhold_gcode_parse::Flavor;
use feedhold_stream_core::dialect::Dialect;
use feedhold_tests::{
    jobs::{Cable, JobError, Judged, Setup},
    random::Recipe,
};
use tempfile::NamedTempFile;

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file for the program");
    file.write_all(text.as_bytes()).expect("written");
    file
}

async fn run(setup: &Setup, text: &str, cable: Cable) -> Result<Judged, JobError> {
    setup.run(file(text).path(), cable).await
}

/// Every motion of random programs arrives, once and in order.
async fn check(cable: Cable) {
    for (dialect, flavor) in [
        (Dialect::Grbl, Flavor::Grbl),
        (Dialect::Marlin, Flavor::Marlin),
    ] {
        for seed in 0..3 {
            let program = Recipe {
                flavor,
                seed,
                lines: 300,
            }
            .program();
            match run(&Setup::new(dialect), &program, cable).await {
                Ok(judged) => assert!(
                    judged.motions > 50,
                    "{dialect:?} seed {seed} moved {} times",
                    judged.motions
                ),
                Err(error) => panic!("{dialect:?} seed {seed} over {cable:?}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn jobs_arrive_through_memory() {
    check(Cable::Memory).await;
}

#[tokio::test]
async fn jobs_arrive_through_a_pty() {
    check(Cable::Pty).await;
}

#[tokio::test]
async fn jobs_arrive_through_tcp() {
    check(Cable::Tcp).await;
}

#[tokio::test]
async fn a_refused_line_ends_the_job_with_the_controllers_reason() {
    let program = "G1 X10\nG1 Y5\n";
    let setup = Setup::new(Dialect::Grbl);
    for cable in [Cable::Memory, Cable::Tcp] {
        match run(&setup, program, cable).await {
            Err(JobError::Fault(message)) => assert!(message.contains("error:22"), "{message}"),
            other => panic!("{cable:?}: a motion without a feed rate gave {other:?}"),
        }
    }
    let setup = Setup {
        before: vec!["F500".to_owned()],
        ..setup
    };
    let judged = run(&setup, program, Cable::Memory).await;
    assert_eq!(judged.expect("now there is a feed rate").motions, 2);
}

#[tokio::test]
async fn a_file_that_the_firmware_cannot_take_is_refused_before_it_is_sent() {
    let program = "G21\nG64 P0.01\nG1 X10 F500\n";
    let setup = Setup::new(Dialect::Grbl);
    match run(&setup, program, Cable::Memory).await {
        Err(JobError::Begin(feedhold::Error::Source(error))) => {
            let message = error.to_string();
            assert!(
                message.contains("line 2") && message.contains("G64"),
                "{message}"
            );
        }
        other => panic!("G64 gave {other:?}"),
    }
    let setup = Setup {
        skip: vec!["G64".parse().expect("a code")],
        ..setup
    };
    let judged = run(&setup, program, Cable::Memory).await;
    assert_eq!(judged.expect("G64 is left out").motions, 1);
}
