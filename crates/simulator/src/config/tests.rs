use super::*;
use crate::ConfigError;

fn params(text: &str) -> Result<Config, ConfigError> {
    Config::from_params(
        text.split('&')
            .filter(|p| !p.is_empty())
            .map(|p| p.split_once('=').unwrap_or((p, ""))),
    )
}

#[test]
fn parameters_mean_what_they_say() {
    let config = params("controller=null&speed=max&baud=115200&latency_ms=4&rx=1024&seed=9&motion=instant&log=keep&dtr=on&fault=drop-ok:0.05").unwrap();
    assert_eq!(config.controller(), ControllerKind::Null);
    assert_eq!(config.pace(), Pace::Max);
    assert_eq!(config.baud, Some(115_200));
    assert_eq!(config.latency, Duration::from_millis(4));
    assert_eq!(config.rx, Some(1024));
    assert_eq!(config.seed, 9);
    assert_eq!(config.motion, MotionModel::Instant);
    assert_eq!(config.log, LogMode::Keep { limit: 1_000_000 });
    assert_eq!(config.on_open(), OnOpen::Reset);
    assert_eq!(config.faults.to_string(), "drop-ok:0.05");
    assert_eq!(params("").unwrap(), Config::new(ControllerKind::Grbl));
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        ("controller=smoothie", "smoothie"),
        ("colour=red", "colour"),
        ("colour=red", "latency_ms"),
        ("speed=fast", "speed=fast"),
        ("speed=0", "speed=0"),
        ("speed=NaN", "speed=NaN"),
        ("baud=9", "baud=9"),
        ("baud=", "baud="),
        ("latency_ms=-1", "latency_ms=-1"),
        ("rx=1", "rx=1"),
        ("motion=sideways", "instant"),
        ("log=loud", "digest"),
        ("dtr=maybe", "on or off"),
        ("fault=drop-ok", "drop-ok"),
    ];
    for (text, named) in cases {
        let error = params(text).expect_err(text).to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}
