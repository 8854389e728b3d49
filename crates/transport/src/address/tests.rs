use proptest::prelude::*;

use super::*;

fn parse(typed: &str) -> Result<Address, AddressError> {
    typed.parse()
}

#[test]
fn every_form_has_one_way_of_printing() {
    let check = |typed: &str, printed: &str| {
        let address = parse(typed).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(address.to_string(), printed);
        assert_eq!(parse(printed), Ok(address));
    };
    check(
        "serial:/dev/ttyUSB0@115200?dtr=off",
        "serial:/dev/ttyUSB0@115200?dtr=off",
    );
    check("serial:/dev/ttyUSB0", "serial:/dev/ttyUSB0@115200");
    check(
        "serial:/dev/ttyUSB0?dtr=on",
        "serial:/dev/ttyUSB0@115200?dtr=on",
    );
    check(
        "serial:/dev/ttyUSB0@250000?dtr=keep",
        "serial:/dev/ttyUSB0@250000",
    );
    check("serial:/dev/pts/3", "serial:/dev/pts/3@115200");
    check("serial:/dev/by@id/x@9600", "serial:/dev/by@id/x@9600");
    check("serial:COM3", "serial:COM3@115200");
    check(
        "serial:usb:7533-A1:F0@9600?dtr=off",
        "serial:usb:7533-A1:F0@9600?dtr=off",
    );
    check(r"serial:\\.\COM12@57600", r"serial:\\.\COM12@57600");
    check("SERIAL:com3", "serial:com3@115200");
    check("/dev/ttyACM0", "serial:/dev/ttyACM0@115200");
    check(
        "/dev/ttyACM0@250000?dtr=off",
        "serial:/dev/ttyACM0@250000?dtr=off",
    );
    check("COM3@9600", "serial:COM3@9600");
    check("tcp://10.0.0.7:23", "tcp://10.0.0.7:23");
    check("tcp:127.0.0.1:9000", "tcp://127.0.0.1:9000");
    check("10.0.0.7:23", "tcp://10.0.0.7:23");
    check("fluid-nc.local:23", "tcp://fluid-nc.local:23");
    check("tcp://[::1]:23", "tcp://[::1]:23");
    check("[fe80::1%eth0]:23", "tcp://[fe80::1%eth0]:23");
    check("sim:grbl", "sim:grbl");
    check(
        "sim:grbl?speed=50&baud=115200&seed=1",
        "sim:grbl?speed=50&baud=115200&seed=1",
    );
    check("sim:marlin?speed=max", "sim:marlin?speed=max");
    check("sim:null", "sim:null");
    check("sim:grbl?fault=drop=0.05?x", "sim:grbl?fault=drop=0.05?x");
}

#[test]
fn an_error_says_where_and_what_to_type() {
    let check = |typed: &str, expected: &str| {
        let error = parse(typed).expect_err(typed);
        assert_eq!(
            error.to_string(),
            format!("address `{}`, {expected}", typed.escape_debug())
        );
    };
    let any = "serial:/dev/ttyUSB0, tcp://10.0.0.7:23 or sim:grbl";
    let host = "tcp://10.0.0.7:23, tcp://cnc.local:23 or tcp://[fe80::1]:23";
    check(
        "",
        &format!("column 1: this names no kind of address; type {any}"),
    );
    check(
        "usb",
        &format!("column 1: this names no kind of address; type {any}"),
    );
    check(
        "ttyUSB0",
        "column 1: this names no kind of address; type serial:/dev/ttyUSB0",
    );
    check(
        "grbl",
        "column 1: this names no kind of address; type sim:grbl",
    );
    check(
        "10.0.0.7",
        "column 1: this names no kind of address; type tcp://10.0.0.7:23",
    );
    check(
        "http://10.0.0.7:80",
        &format!("column 1: `http://` is not a kind of address; type {any}"),
    );
    check(
        "pty:/dev/pts/3",
        "column 1: `pty:` is not a kind of address; \
         type serial:/dev/pts/3 (the far side of a pty is a serial device)",
    );
    check(
        "serial:",
        "column 8: a serial port is an absolute path or a COM port; type serial:/dev/ttyUSB0 or serial:COM3",
    );
    check(
        "serial:ttyUSB0",
        "column 8: a serial port is an absolute path or a COM port; type serial:/dev/ttyUSB0",
    );
    check(
        "serial:usb:@9600",
        "column 8: `` is not a serial number; type serial:usb: and a serial number as `feedhold ports` lists it",
    );
    check(
        "serial:dev/ttyUSB0",
        "column 8: a serial port is an absolute path or a COM port; type serial:/dev/ttyUSB0",
    );
    check(
        "serial:/dev/ttyUSB0@fast",
        "column 21: `fast` is not a baud rate; type serial:/dev/ttyUSB0@115200",
    );
    check(
        "serial:/dev/ttyUSB0@",
        "column 21: `` is not a baud rate; type serial:/dev/ttyUSB0@115200",
    );
    check(
        "serial:/dev/ttyUSB0@-9600",
        "column 21: `-9600` is not a baud rate; type serial:/dev/ttyUSB0@115200",
    );
    check(
        "/dev/ttyUSB0@0",
        "column 14: 0 is not a baud rate; type @115200 or @250000 after the path",
    );
    check(
        "serial:/dev/ttyUSB0?rts=off",
        "column 21: `rts=off` is not a setting of a serial port; type serial:/dev/ttyUSB0?dtr=off (or keep, or on)",
    );
    check(
        "serial:/dev/t\0ty",
        "column 8: `\\0` cannot be part of a device path; type serial:/dev/ttyUSB0@115200",
    );
    check(
        "tcp://10.0.0.7",
        "column 7: the port is missing; type tcp://10.0.0.7:23",
    );
    check(
        "tcp://",
        "column 7: the port is missing; type tcp://10.0.0.7:23",
    );
    check(
        "tcp://:23",
        &format!("column 7: the host is missing; type {host}"),
    );
    check(
        "tcp://h:0",
        "column 9: `0` is not a port number from 1 to 65535; type tcp://h:23",
    );
    check(
        "tcp://h:70000",
        "column 9: `70000` is not a port number from 1 to 65535; type tcp://h:23",
    );
    check(
        "tcp://h:23/x",
        "column 9: `23/x` is not a port number from 1 to 65535; type tcp://h:23",
    );
    check(
        "tcp://::1",
        "column 7: an IPv6 address needs brackets and a port; type tcp://[::1]:23",
    );
    check(
        "tcp://[::1",
        "column 7: `[` is not closed; type tcp://[fe80::1]:23",
    );
    check(
        "tcp://[::1]",
        "column 7: the port is missing; type tcp://[::1]:23",
    );
    check(
        "tcp://[::zz]:23",
        &format!("column 8: `::zz` is not a host name or IP address; type {host}"),
    );
    check(
        "tcp://a b:23",
        &format!("column 7: `a b` is not a host name or IP address; type {host}"),
    );
    check(
        "sim:",
        "column 5: the controller is missing; type sim:grbl, sim:marlin or sim:null",
    );
    check(
        "sim:?seed=1",
        "column 5: the controller is missing; type sim:grbl, sim:marlin or sim:null",
    );
    check(
        "sim:grbl?",
        "column 10: `` is not the name of a parameter; type sim:grbl?speed=50&seed=1",
    );
    check(
        "sim:grbl?speed",
        "column 10: `speed` has no value; type sim:grbl?speed=50&seed=1",
    );
    check(
        "sim:grbl?seed=1&seed=2",
        "column 17: `seed` is there twice; type sim:grbl?speed=50&seed=1",
    );
}

#[test]
fn a_hopeless_text_is_cut_short_in_its_message() {
    let error = parse(&"é".repeat(10_000)).unwrap_err();
    assert!(error.to_string().len() < 400, "{error}");
    assert_eq!(error.column(), 1);
}

#[test]
fn only_simulators_have_no_connector() {
    let names = ["serial:/dev/ttyUSB0", "tcp://h:23", "sim:grbl"].map(|typed| {
        parse(typed)
            .unwrap()
            .connector()
            .map(|connector| connector.address())
    });
    assert_eq!(
        names,
        [
            Some("serial:/dev/ttyUSB0@115200".into()),
            Some("tcp://h:23".into()),
            None
        ]
    );
}

fn any_serial() -> impl Strategy<Value = Address> {
    let path = prop_oneof!["/[^?\\p{Cc}]{0,30}", "COM[0-9]{1,3}"];
    let dtr = prop_oneof![Just(Dtr::Keep), Just(Dtr::Off), Just(Dtr::On)];
    (path, 1..=u32::MAX, dtr).prop_map(|(path, baud, dtr)| {
        SerialAddress::new(path)
            .unwrap()
            .with_baud(baud)
            .unwrap()
            .with_dtr(dtr)
            .into()
    })
}

fn any_tcp() -> impl Strategy<Value = Address> {
    let host = prop_oneof![
        "[a-zA-Z0-9._-]{1,30}",
        any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|ip| ip.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|ip| format!("{ip}%eth0")),
    ];
    (host, 1..=u16::MAX).prop_map(|(host, port)| TcpAddress::new(host, port).unwrap().into())
}

fn any_sim() -> impl Strategy<Value = Address> {
    let params = proptest::collection::vec(("[a-z0-9._-]{1,8}", "[^&\\p{Cc}]{1,12}"), 0..5);
    ("[a-z0-9._-]{1,10}", params).prop_map(|(controller, params)| {
        let start = SimAddress::new(controller).unwrap();
        let with_all =
            params
                .into_iter()
                .fold(start, |address, (key, value)| match address.param(&key) {
                    Some(_) => address,
                    None => address.with(key, value).unwrap(),
                });
        with_all.into()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn printing_and_parsing_agree(address in prop_oneof![any_serial(), any_tcp(), any_sim()]) {
        prop_assert_eq!(parse(&address.to_string()), Ok(address));
    }

    #[test]
    fn no_text_panics_and_every_accepted_one_prints_back(
        scheme in prop_oneof![Just(""), Just("serial:"), Just("tcp://"), Just("tcp:"), Just("sim:")],
        rest in "[^\\x00]{0,12}|[/\\[\\]:@?=&%.a1é-]{0,16}",
    ) {
        match parse(&format!("{scheme}{rest}")) {
            Ok(address) => prop_assert_eq!(parse(&address.to_string()), Ok(address)),
            Err(error) => prop_assert!(error.column() >= 1 && !error.suggestion().is_empty()),
        }
    }
}
