//! From the address of a machine to a way of connecting to it, simulated machines included.

use std::path::PathBuf;

use feedhold_stream_core::dialect::Dialect;
use feedhold_transport::{Address, Connect, SimAddress, Traced};

use crate::Error;

/// A machine that can be connected to, again and again.
pub struct Machine {
    /// The way to it. Its bytes are told to `tracing` under the target [`WIRE`](feedhold_transport::WIRE).
    pub connect: Box<dyn Connect>,
    /// The machine itself, when it lives in this process.
    #[cfg(feature = "simulator")]
    pub simulated: Option<simulated::Simulated>,
}

/// What a simulated machine writes down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MotionLog {
    /// What its address says (`log=`).
    #[default]
    AsAddressed,
    /// Every motion as a line of JSON in this file.
    File(PathBuf),
}

/// The dialect of the machine at this address, where the address says it.
#[must_use]
pub fn dialect(address: &Address) -> Option<Dialect> {
    match address {
        Address::Sim(sim) if sim.controller() == "marlin" => Some(Dialect::Marlin),
        Address::Sim(sim) if sim.controller() == "grbl" => Some(Dialect::Grbl),
        _ => None,
    }
}

impl Machine {
    /// Finds the way to `address`. Opens no port: that is [`Connect::connect`]'s work. A simulated machine is switched on.
    ///
    /// Simulators must be opened inside a tokio runtime, on which they run as a task.
    ///
    /// # Errors
    /// [`Error::Machine`] when the parameters of a simulator make no sense or its log cannot be written.
    pub fn open(address: &Address, log: &MotionLog) -> Result<Self, Error> {
        if let Address::Sim(sim) = address {
            return Self::simulate(sim, log);
        }
        let connect = address
            .connector()
            .ok_or_else(|| Error::machine(address, "no way to it is built in"))?;
        Ok(Self {
            connect: Box::new(Traced::new(connect)),
            #[cfg(feature = "simulator")]
            simulated: None,
        })
    }

    #[cfg(not(feature = "simulator"))]
    fn simulate(address: &SimAddress, _log: &MotionLog) -> Result<Self, Error> {
        Err(Error::machine(
            address,
            "this program was built without simulators; name a serial or a tcp address",
        ))
    }

    #[cfg(feature = "simulator")]
    fn simulate(address: &SimAddress, log: &MotionLog) -> Result<Self, Error> {
        let machine = simulated::build(address, log)?;
        let (connect, simulated) = simulated::switch_on(address.to_string(), machine);
        Ok(Self {
            connect: Box::new(Traced::new(connect)),
            simulated: Some(simulated),
        })
    }
}

/// Machines that live in this process.
#[cfg(feature = "simulator")]
pub mod simulated {
    use std::{fs::File, path::Path};

    use async_trait::async_trait;
    use feedhold_simulator::{
        Config, MotionLog as Log, Simulator,
        serve::{serve, unplugged},
    };
    use feedhold_transport::{Connect, ConnectError, Link, SimAddress, Stream};
    use tokio::{
        io::{DuplexStream, duplex},
        sync::mpsc,
        task::JoinHandle,
    };

    use super::MotionLog;
    use crate::Error;

    /// Bytes that the cable holds each way; as much as a pty or a USB driver buffers.
    const CABLE: usize = 64 * 1024;

    /// A simulated machine that runs as a task of its own.
    #[derive(Debug)]
    pub struct Simulated {
        task: JoinHandle<Simulator>,
    }

    impl Simulated {
        /// Waits until nobody is connected any more and nobody can connect again, and gives the machine with its log back.
        ///
        /// # Errors
        /// [`Error::SimLog`] when the log could not be written to its end.
        pub async fn switched_off(self) -> Result<Simulator, Error> {
            let mut machine = self.task.await.map_err(|_| Error::Gone)?;
            machine
                .log_mut()
                .flush()
                .map_err(|source| Error::SimLog { source })?;
            Ok(machine)
        }
    }

    /// Makes the machine that an address describes.
    ///
    /// # Errors
    /// [`Error::Machine`] when its parameters make no sense, [`Error::SimLogFile`] when the log's file cannot be made.
    pub fn build(address: &SimAddress, log: &MotionLog) -> Result<Simulator, Error> {
        let params = [("controller", address.controller())]
            .into_iter()
            .chain(address.params());
        let config = Config::from_params(params).map_err(|error| Error::machine(address, error))?;
        Ok(match log {
            MotionLog::AsAddressed => Simulator::new(config),
            MotionLog::File(path) => Simulator::with_log(config, log_file(path)?),
        })
    }

    /// A motion log that goes into a file, each motion as it ends: what was executed is to be read even when this process is
    /// killed.
    fn log_file(path: &Path) -> Result<Log, Error> {
        let file = File::create(path).map_err(|source| Error::SimLogFile {
            path: path.to_owned(),
            source,
        })?;
        Ok(Log::writing_to(Box::new(file)))
    }

    /// Switches a machine on and lays cables to it, one connection after the other.
    #[must_use]
    pub fn switch_on(address: String, machine: Simulator) -> (Box<dyn Connect>, Simulated) {
        let (cables, plugged) = mpsc::channel(1);
        let task = tokio::spawn(stand_by(machine, plugged));
        (Box::new(Cables { address, cables }), Simulated { task })
    }

    /// Serves one cable after the other; between them the machine finishes what it was given.
    async fn stand_by(
        mut machine: Simulator,
        mut plugged: mpsc::Receiver<DuplexStream>,
    ) -> Simulator {
        let (pace, on_open) = (machine.config().pace(), machine.config().on_open());
        let mut is_first = true;
        loop {
            let cable = tokio::select! {
                biased;
                cable = plugged.recv() => cable,
                () = unplugged(&mut machine, pace), if !is_first => continue,
            };
            let Some(cable) = cable else {
                return machine;
            };
            // The first cable was there when the power came on, and carries what the machine said then.
            if !std::mem::take(&mut is_first) {
                machine.reconnect(machine.now(), on_open);
            }
            // A cable in memory ends and never fails.
            let _ = serve(&mut machine, cable, pace).await;
        }
    }

    struct Cables {
        address: String,
        cables: mpsc::Sender<DuplexStream>,
    }

    #[async_trait]
    impl Connect for Cables {
        async fn connect(&mut self) -> Result<Box<dyn Link>, ConnectError> {
            let (host, machine) = duplex(CABLE);
            self.cables
                .send(machine)
                .await
                .map_err(|_| ConnectError::Absent {
                    address: self.address.clone(),
                })?;
            Ok(Box::new(Stream::new(host, self.address.clone())))
        }

        fn address(&self) -> String {
            self.address.clone()
        }
    }
}
