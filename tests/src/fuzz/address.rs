//! Addresses of machines, and the parameters and faults of simulated ones.

use feedhold::transport::{Address, AddressError};
use feedhold_simulator::{Config, FaultPlan};

use super::assert_shown;

pub(super) fn judge(data: &[u8]) {
    let Ok(typed) = str::from_utf8(data) else {
        return;
    };
    match typed.parse::<Address>() {
        Ok(address) => accepted(typed, &address),
        Err(error) => refused(typed, &error),
    }
    if let Ok(plan) = typed.parse::<FaultPlan>() {
        let printed = plan.to_string();
        assert_eq!(printed.parse::<FaultPlan>(), Ok(plan), "{printed}");
    }
}

fn accepted(typed: &str, address: &Address) {
    let printed = address.to_string();
    assert_eq!(
        printed.parse::<Address>().as_ref(),
        Ok(address),
        "{typed:?} is printed as {printed:?}"
    );
    assert_shown(&printed, 2 * typed.len() + 40);
    match address {
        Address::Serial(serial) => assert!(serial.baud() > 0 && !serial.path().is_empty()),
        Address::Tcp(tcp) => assert!(tcp.port() > 0 && !tcp.host().is_empty()),
        Address::Sim(sim) => {
            for (key, value) in sim.params() {
                assert_eq!(sim.param(key), Some(value), "{key} is there twice");
            }
            let named = std::iter::once(("controller", sim.controller()));
            if let Err(error) = Config::from_params(named.chain(sim.params())) {
                assert_shown(&error.to_string(), 3 * typed.len() + 800);
            }
        }
        _ => {}
    }
    let connects = !matches!(address, Address::Sim(_));
    assert_eq!(address.connector().is_some(), connects);
}

fn refused(typed: &str, error: &AddressError) {
    assert!(
        (1..=typed.chars().count() + 1).contains(&error.column()),
        "column {} of {typed:?}",
        error.column()
    );
    assert!(!error.suggestion().is_empty());
    assert!(typed.starts_with(error.typed().trim_end_matches('…')));
    assert_shown(&error.to_string(), 4 * 1024);
}
