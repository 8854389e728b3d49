//! Reading an address, and saying what is wrong with one.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use super::{Address, Dtr, SerialAddress, SimAddress, TcpAddress};

/// Longer input is not an address but a mistake; refused so that messages stay readable.
const MAX_LENGTH: usize = 1024;

/// What the examples in messages use for a telnet-style port; FluidNC and most Wi-Fi bridges listen there.
const USUAL_PORT: &str = "23";

/// Why a text is no address: what was typed, where it goes wrong, and what to type instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    typed: String,
    column: usize,
    what: String,
    instead: String,
}

impl AddressError {
    /// The text that was refused.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Where it goes wrong, counted in characters from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// What to type instead.
    #[must_use]
    pub fn suggestion(&self) -> &str {
        &self.instead
    }

    /// A fault in a part, to be placed by [`Self::within`] once the whole is known.
    fn new(part: &str, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self {
            typed: shorten(part),
            column: 1,
            what: what.into(),
            instead: instead.into(),
        }
    }

    /// Moves the fault from a part to the whole text that the part is a slice of, `offset` bytes in.
    fn within(mut self, whole: &str, offset: usize) -> Self {
        let before = whole.get(..offset).unwrap_or(whole).chars().count();
        self.column += before;
        self.typed = shorten(whole);
        self
    }

    fn instead(mut self, instead: impl Into<String>) -> Self {
        self.instead = instead.into();
        self
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            typed,
            column,
            what,
            instead,
        } = self;
        write!(
            f,
            "address `{}`, column {column}: {what}; type {instead}",
            typed.escape_debug()
        )
    }
}

impl std::error::Error for AddressError {}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(typed: &str) -> Result<Self, AddressError> {
        if typed.len() > MAX_LENGTH {
            return Err(unknown(typed, "this is too long for an address"));
        }
        match typed.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("serial") => {
                serial(typed, rest).map(Self::Serial)
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tcp") => {
                tcp(typed, rest.strip_prefix("//").unwrap_or(rest)).map(Self::Tcp)
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sim") => {
                sim(typed, rest).map(Self::Sim)
            }
            _ => shorthand(typed),
        }
    }
}

/// `/dev/ttyUSB0`, `COM3` and `host:port` need no scheme; everything else does.
fn shorthand(typed: &str) -> Result<Address, AddressError> {
    if typed.starts_with('/') || is_com_port(split_settings(typed).0) {
        return serial(typed, typed).map(Address::Serial);
    }
    if let Some(path) = typed.strip_prefix("pty:") {
        let instead = format!(
            "serial:{} (the far side of a pty is a serial device)",
            shown(path)
        );
        return Err(AddressError::new(
            typed,
            "`pty:` is not a kind of address",
            instead,
        ));
    }
    if typed.contains("://") {
        let scheme = typed.split(':').next().unwrap_or_default();
        return Err(unknown(
            typed,
            format!(
                "`{}://` is not a kind of address",
                shorten(scheme).escape_debug()
            ),
        ));
    }
    match typed.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => tcp(typed, typed).map(Address::Tcp),
        _ => Err(missing_scheme(typed)),
    }
}

/// A guess at what was meant by a word without scheme.
fn missing_scheme(typed: &str) -> AddressError {
    let what = "this names no kind of address";
    let error = unknown(typed, what);
    if typed.starts_with("tty") || typed.starts_with("cu.") {
        error.instead(format!("serial:/dev/{}", shown(typed)))
    } else if ["grbl", "marlin", "null"].contains(&typed) {
        error.instead(format!("sim:{typed}"))
    } else if typed.contains('.') && host_name(typed).is_ok() {
        error.instead(format!("tcp://{}:{USUAL_PORT}", shown(typed)))
    } else {
        error
    }
}

fn unknown(typed: &str, what: impl Into<String>) -> AddressError {
    AddressError::new(
        typed,
        what,
        "serial:/dev/ttyUSB0, tcp://10.0.0.7:23 or sim:grbl",
    )
}

/// `rest` is the tail of `typed` after the scheme.
fn serial(typed: &str, rest: &str) -> Result<SerialAddress, AddressError> {
    let at = |part: &str| offset_of(typed, part);
    let (path, baud, query) = split_settings(rest);
    let placed = |part: &str| {
        let offset = at(part);
        move |error: AddressError| error.within(typed, offset)
    };
    let mut address = SerialAddress::new(path).map_err(placed(path))?;
    if let Some(baud) = baud {
        let rate = baud.parse().map_err(|_| {
            let what = format!("`{}` is not a baud rate", baud.escape_debug());
            AddressError::new(baud, what, format!("serial:{path}@115200"))
        });
        address = rate
            .and_then(|rate| address.with_baud(rate))
            .map_err(placed(baud))?;
    }
    let Some(query) = query else {
        return Ok(address);
    };
    let dtr = match query {
        "dtr=keep" => Dtr::Keep,
        "dtr=off" => Dtr::Off,
        "dtr=on" => Dtr::On,
        _ => {
            let what = format!(
                "`{}` is not a setting of a serial port",
                query.escape_debug()
            );
            let error = AddressError::new(
                query,
                what,
                format!("serial:{path}?dtr=off (or keep, or on)"),
            );
            return Err(error.within(typed, at(query)));
        }
    };
    Ok(address.with_dtr(dtr))
}

/// Splits `PATH[@BAUD][?QUERY]`. The last `@` counts, since paths may hold one.
fn split_settings(rest: &str) -> (&str, Option<&str>, Option<&str>) {
    let (device, query) = match rest.split_once('?') {
        Some((device, query)) => (device, Some(query)),
        None => (rest, None),
    };
    match device.rsplit_once('@') {
        Some((path, baud)) => (path, Some(baud), query),
        None => (device, None, query),
    }
}

/// `rest` is the tail of `typed` after the scheme and its slashes.
fn tcp(typed: &str, rest: &str) -> Result<TcpAddress, AddressError> {
    let placed = |part: &str| {
        let offset = offset_of(typed, part);
        move |error: AddressError| error.within(typed, offset)
    };
    let (host, port) = split_port(rest).map_err(placed(rest))?;
    host_name(host).map_err(placed(host))?;
    let number = port
        .parse::<u16>()
        .ok()
        .filter(|&number| number > 0)
        .ok_or_else(|| {
            let what = format!(
                "`{}` is not a port number from 1 to 65535",
                port.escape_debug()
            );
            AddressError::new(
                port,
                what,
                format!("tcp://{}:{USUAL_PORT}", bracketed(host)),
            )
        });
    TcpAddress::new(host, number.map_err(placed(port))?)
}

/// Splits `HOST:PORT` or `[IPV6]:PORT`.
fn split_port(rest: &str) -> Result<(&str, &str), AddressError> {
    let no_port = |host: &str| {
        let example = if host.is_empty() {
            "10.0.0.7".to_owned()
        } else {
            bracketed(host)
        };
        AddressError::new(
            rest,
            "the port is missing",
            format!("tcp://{example}:{USUAL_PORT}"),
        )
    };
    if let Some(inner) = rest.strip_prefix('[') {
        let Some((host, tail)) = inner.split_once(']') else {
            return Err(AddressError::new(
                rest,
                "`[` is not closed",
                "tcp://[fe80::1]:23",
            ));
        };
        return tail
            .strip_prefix(':')
            .map(|port| (host, port))
            .ok_or_else(|| no_port(host));
    }
    if rest.parse::<Ipv6Addr>().is_ok() {
        let instead = format!("tcp://[{rest}]:{USUAL_PORT}");
        return Err(AddressError::new(
            rest,
            "an IPv6 address needs brackets and a port",
            instead,
        ));
    }
    match rest.rsplit_once(':') {
        Some((host, _)) if host.contains(':') => Err(AddressError::new(
            rest,
            "an IPv6 address needs brackets",
            "tcp://[fe80::1]:23",
        )),
        Some(parts) => Ok(parts),
        None => Err(no_port(rest)),
    }
}

/// `rest` is the tail of `typed` after the scheme.
fn sim(typed: &str, rest: &str) -> Result<SimAddress, AddressError> {
    let (controller, query) = match rest.split_once('?') {
        Some((controller, query)) => (controller, Some(query)),
        None => (rest, None),
    };
    let offset = offset_of(typed, controller);
    let address = SimAddress::new(controller).map_err(|error| error.within(typed, offset))?;
    let Some(query) = query else {
        return Ok(address);
    };
    query.split('&').try_fold(address, |address, pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        address
            .with(key, value)
            .map_err(|error| error.within(typed, offset_of(typed, pair)))
    })
}

/// What stands before a serial number in place of a path.
pub(super) const USB: &str = "usb:";

pub(super) fn device_path(path: &str) -> Result<(), AddressError> {
    if let Some(number) = path.strip_prefix(USB) {
        let is_one = !number.is_empty()
            && number
                .chars()
                .all(|c| c.is_ascii_graphic() && !"@?".contains(c));
        let what = format!("`{}` is not a serial number", number.escape_debug());
        let instead = "serial:usb: and a serial number as `feedhold ports` lists it";
        return is_one
            .then_some(())
            .ok_or_else(|| AddressError::new(path, what, instead));
    }
    if let Some(bad) = path.chars().find(|c| c.is_control() || *c == '?') {
        let what = format!("`{}` cannot be part of a device path", bad.escape_debug());
        return Err(AddressError::new(path, what, "serial:/dev/ttyUSB0@115200"));
    }
    if path.starts_with('/') || path.starts_with(r"\\.\") || is_com_port(path) {
        return Ok(());
    }
    let error = AddressError::new(
        path,
        "a serial port is an absolute path or a COM port",
        "serial:/dev/ttyUSB0 or serial:COM3",
    );
    let guess = path.strip_prefix("dev/").unwrap_or(path);
    if guess.starts_with("tty") || guess.starts_with("cu.") {
        Err(error.instead(format!("serial:/dev/{}", shown(guess))))
    } else {
        Err(error)
    }
}

pub(super) fn baud_rate(baud: u32) -> Result<(), AddressError> {
    match baud {
        0 => Err(AddressError::new(
            "0",
            "0 is not a baud rate",
            "@115200 or @250000 after the path",
        )),
        _ => Ok(()),
    }
}

pub(super) fn host_name(host: &str) -> Result<(), AddressError> {
    let literal = host.split_once('%').map_or(host, |(literal, _)| literal);
    let zone = host.split_once('%').map(|(_, zone)| zone);
    let is_name = |text: &str, extra: &[char]| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || extra.contains(&c))
    };
    let fits = if host.contains(':') {
        literal.parse::<Ipv6Addr>().is_ok()
            && zone.is_none_or(|zone| is_name(zone, &['.', '-', '_']))
    } else {
        is_name(host, &['.', '-', '_'])
    };
    if fits {
        return Ok(());
    }
    let what = match host {
        "" => "the host is missing".to_owned(),
        _ => format!("`{}` is not a host name or IP address", host.escape_debug()),
    };
    Err(AddressError::new(
        host,
        what,
        "tcp://10.0.0.7:23, tcp://cnc.local:23 or tcp://[fe80::1]:23",
    ))
}

pub(super) fn port_number(port: u16) -> Result<(), AddressError> {
    match port {
        0 => Err(AddressError::new(
            "0",
            "0 is not a TCP port",
            "a port from 1 to 65535, 23 for most machines",
        )),
        _ => Ok(()),
    }
}

pub(super) fn controller_name(name: &str) -> Result<(), AddressError> {
    if is_name(name) {
        return Ok(());
    }
    let what = match name {
        "" => "the controller is missing".to_owned(),
        _ => format!("`{}` is not the name of a controller", name.escape_debug()),
    };
    Err(AddressError::new(
        name,
        what,
        "sim:grbl, sim:marlin or sim:null",
    ))
}

pub(super) fn parameter(address: &SimAddress, key: &str, value: &str) -> Result<(), AddressError> {
    let what = if !is_name(key) {
        format!("`{}` is not the name of a parameter", key.escape_debug())
    } else if address.param(key).is_some() {
        format!("`{key}` is there twice")
    } else if value.is_empty() {
        format!("`{key}` has no value")
    } else if value.chars().any(|c| c.is_control() || c == '&') {
        format!("the value of `{key}` holds `&` or a control character")
    } else {
        return Ok(());
    };
    Err(AddressError::new(
        key,
        what,
        format!("sim:{}?speed=50&seed=1", address.controller()),
    ))
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn is_com_port(path: &str) -> bool {
    match path.split_at_checked(3) {
        Some((com, number)) => {
            com.eq_ignore_ascii_case("com")
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        None => false,
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{}]", shown(host))
    } else {
        shown(host)
    }
}

/// Where `part` begins in `whole`, of which it is a slice.
fn offset_of(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize)
        .saturating_sub(whole.as_ptr() as usize)
        .min(whole.len())
}

/// A part of what was typed, in what is to be typed instead: nothing that a terminal would act on.
fn shown(text: &str) -> String {
    shorten(text).escape_debug().to_string()
}

fn shorten(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
