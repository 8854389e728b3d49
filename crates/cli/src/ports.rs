//! `feedhold ports`: where a machine may be plugged in.

use feedhold::transport;
use serde_json::json;

use crate::{args::JsonArgs, exit::Exit, out};

/// Runs the command.
pub(crate) fn run(typed: &JsonArgs) -> anyhow::Result<Exit> {
    let ports = transport::ports();
    if typed.json {
        for port in &ports {
            let lasting = port.lasting_address().map(|address| address.to_string());
            out::json(&json!({
                "address": port.address().to_string(),
                "lasting_address": lasting,
                "path": port.path(),
                "kind": port.kind().to_string(),
            }));
        }
    } else if ports.is_empty() {
        out::line(format_args!(
            "no serial ports; plug the machine in and switch it on"
        ));
    } else {
        ports.iter().for_each(|port| {
            out::line(format_args!(
                "{:<36} {}",
                port.address().to_string(),
                port.kind()
            ));
            if let Some(lasting) = port.lasting_address() {
                out::line(format_args!("  or, wherever it is plugged in: {lasting}"));
            }
        });
    }
    Ok(Exit::Done)
}
