//! Streams a file to a machine in a few lines: `cargo run -p feedhold --example run -- part.nc sim:grbl?speed=max`

use feedhold::{Job, session::Event};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut typed = std::env::args().skip(1);
    let (Some(file), Some(machine)) = (typed.next(), typed.next()) else {
        return Err("name a file and a machine, such as part.nc sim:grbl?speed=max".into());
    };
    let job = Job::new(file, machine.parse()?);
    let mut events = job.events();
    tokio::spawn(async move {
        while let Ok(event) = events.recv().await {
            if let Event::Progress(at) = event {
                println!(
                    "line {} of {}, {:.0} lines/s",
                    at.acked, at.total_lines, at.lines_per_s
                );
            }
        }
    });
    let outcome = job.run().await?;
    println!(
        "{}: {} lines in {:.1?}",
        outcome.ending.name(),
        outcome.lines,
        outcome.elapsed
    );
    Ok(())
}
