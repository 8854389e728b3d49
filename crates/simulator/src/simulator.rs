use crate::config::Config;
/// .
#[derive(Debug)]
pub struct Simulator { config: Config }
