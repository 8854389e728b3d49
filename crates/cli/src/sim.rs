//! `feedhold sim`: a simulated machine for other programs.

use feedhold::{
    machine::{MotionLog, simulated},
    sim::Server,
    simulator::Simulator,
    transport::SimAddress,
};

use crate::{
    args::SimArgs,
    exit::{Exit, coded},
    out, runtime, text,
};

const DEFAULT_LISTEN: &str = "127.0.0.1:9000";

/// Runs the command until it is interrupted.
pub(crate) fn run(typed: &SimArgs) -> anyhow::Result<Exit> {
    let log = typed
        .log
        .clone()
        .map_or(MotionLog::AsAddressed, MotionLog::File);
    let machine = simulated::build(&address(typed)?, &log)?;
    runtime()?.block_on(async {
        let mut server = open(typed, machine).await?;
        let address = server.address();
        out::line(format_args!(
            "{} is ready: feedhold run FILE -m {address}",
            typed.dialect
        ));
        let ended = tokio::select! {
            ended = server.run(|news| out::note(format_args!("{news}"))) => ended,
            _ = interrupted() => Ok(()),
        };
        let log = server.machine_mut().log_mut();
        out::line(format_args!("{} motions", text::count(log.len())));
        log.flush()
            .map_err(|source| feedhold::Error::SimLog { source })?;
        ended?;
        Ok(Exit::Done)
    })
}

/// Ctrl-C, or the wish of whoever started this process.
async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    // Without signals it runs until it is killed.
    let _ = tokio::signal::ctrl_c().await;
}

async fn open(typed: &SimArgs, machine: Simulator) -> anyhow::Result<Server> {
    if typed.pty {
        #[cfg(unix)]
        return Ok(Server::pty(machine, typed.link.as_deref())?);
        #[cfg(not(unix))]
        return Err(coded(
            Exit::Usage,
            "this system has no ptys; use --listen tcp:127.0.0.1:9000",
        ));
    }
    let typed = typed.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
    let address = typed
        .strip_prefix("tcp://")
        .or_else(|| typed.strip_prefix("tcp:"))
        .unwrap_or(typed);
    Ok(Server::listen(machine, address).await?)
}

fn address(typed: &SimArgs) -> anyhow::Result<SimAddress> {
    let mut address = SimAddress::new(typed.dialect.as_str())
        .map_err(|error| coded(Exit::Usage, error.to_string()))?;
    for param in &typed.params {
        let (key, value) = param.split_once('=').ok_or_else(|| {
            coded(
                Exit::Usage,
                format!("{param}: write KEY=VALUE, such as speed=max"),
            )
        })?;
        address = address
            .with(key, value)
            .map_err(|error| coded(Exit::Usage, error.to_string()))?;
    }
    Ok(address)
}
