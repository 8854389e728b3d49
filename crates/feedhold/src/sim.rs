//! Simulated machines for other programs: behind a TCP port or a pty, one client after the other.

use std::{io, net::SocketAddr};

use feedhold_simulator::{
    Simulator,
    serve::{serve, unplugged},
};
use tokio::net::TcpListener;

use crate::Error;

/// A simulated machine that waits for clients.
#[derive(Debug)]
pub struct Server {
    machine: Simulator,
    door: Door,
}

#[derive(Debug)]
enum Door {
    Tcp(TcpListener, SocketAddr),
    #[cfg(unix)]
    Pty(Box<feedhold_transport::pty::Pty>),
}

impl Server {
    /// Listens on a TCP address such as `127.0.0.1:9000`; port 0 takes one that is free.
    ///
    /// # Errors
    /// [`Error::Serve`] when the port is taken or forbidden.
    pub async fn listen(machine: Simulator, address: &str) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Serve {
            place: format!("tcp:{address}"),
            reason: format!("{error}; choose another address, such as tcp:127.0.0.1:9000"),
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        Ok(Self {
            machine,
            door: Door::Tcp(listener, local),
        })
    }

    /// Opens a pty, which other programs take for a serial port. `link` is a lasting name for it.
    ///
    /// # Errors
    /// [`Error::Serve`] when the system has none, or the name is taken.
    #[cfg(unix)]
    pub fn pty(machine: Simulator, link: Option<&std::path::Path>) -> Result<Self, Error> {
        use feedhold_transport::pty::{Pty, PtyError};
        let failed = |error: PtyError| Error::Serve {
            place: "pty".to_owned(),
            reason: error.to_string(),
        };
        let pty = Pty::open().map_err(failed)?;
        let pty = match link {
            Some(link) => pty.with_symlink(link).map_err(failed)?,
            None => pty,
        };
        Ok(Self {
            machine,
            door: Door::Pty(Box::new(pty)),
        })
    }

    /// What clients have to type as the machine's address.
    #[must_use]
    pub fn address(&self) -> String {
        match &self.door {
            Door::Tcp(_, address) => format!("tcp://{address}"),
            #[cfg(unix)]
            Door::Pty(pty) => format!("serial:{}", pty.path().display()),
        }
    }

    /// Serves clients until the door fails; drop the future to stop. `come_and_go` hears of every client.
    ///
    /// The machine lives on between clients: it finishes what it was given, and opening a TCP connection restarts it when its
    /// address says `dtr=on`. Clients of a pty come and go unseen, so that none of them restarts it.
    ///
    /// # Errors
    /// [`Error::Serve`] when no more clients can be let in.
    pub async fn run(&mut self, mut come_and_go: impl FnMut(&str)) -> Result<(), Error> {
        let place = self.address();
        let (pace, on_open) = (
            self.machine.config().pace(),
            self.machine.config().on_open(),
        );
        loop {
            let ended = match &mut self.door {
                Door::Tcp(listener, _) => {
                    let accepted = tokio::select! {
                        accepted = listener.accept() => accepted,
                        () = unplugged(&mut self.machine, pace) => continue,
                    };
                    let (client, from) = accepted.map_err(|error| Error::Serve {
                        place: place.clone(),
                        reason: error.to_string(),
                    })?;
                    // Answers are short and have to leave at once; a socket that cannot do that is only slower.
                    let _ = client.set_nodelay(true);
                    come_and_go(&format!("{from} connected"));
                    self.machine.reconnect(self.machine.now(), on_open);
                    let ended = serve(&mut self.machine, client, pace).await;
                    come_and_go(&format!("{from} left"));
                    ended
                }
                #[cfg(unix)]
                Door::Pty(pty) => {
                    // Clients of a pty come and go unseen, so this only ends when a fault pulls the cable.
                    let ended = serve(&mut self.machine, pty.as_mut(), pace).await;
                    self.machine.reconnect(self.machine.now(), on_open);
                    ended
                }
            };
            if let Err(error) = ended {
                come_and_go(&format!("the link failed: {error}"));
            }
        }
    }

    /// The machine, with its log.
    pub fn machine_mut(&mut self) -> &mut Simulator {
        &mut self.machine
    }
}
