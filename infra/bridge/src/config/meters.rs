//! Meters and the buses they hang on.
//!
//! ```toml
//! meter_zone = "Asia/Shanghai"                   # where the meters' days begin; this is the usual one
//!
//! [[meter_buses]]
//! id = "riser-1"
//! protocol = "dlt645"                            # or cjt188, modbus-rtu, modbus-tcp, mbus
//! port = "serial:/dev/ttyUSB1"                   # or "tcp:10.0.0.8:4001"
//! baud = 2400                                    # of a serial port; usually 2400, for Modbus 9600
//! parity = "even"                                # or "none", usual for Modbus; also for pseudo-terminals
//! interval_minutes = 60                          # how often every meter is read
//! reply_timeout_ms = 1000                        # how long a meter may take to answer
//!
//! [[meters]]
//! id = "m-101"
//! bus = "riser-1"
//! address = "000000001234"                       # as printed: 12 digits (dlt645), 14 (cjt188); 1 to 247 (modbus);
//!                                                # 0 to 250 or the number of 8 digits (mbus)
//! tariffs = true                                 # dlt645: read the tariffs as well; usual
//! freeze_days = 62                               # dlt645: how many daily freezes are asked for when missed; usual
//! relay_password = "02123456"                    # dlt645: level and six digits; without it no order moves the relay
//! relay_operator = 1                             # dlt645: who the meter notes down; usually 0
//! sort = "cold_water"                            # cjt188: or hot_water, heat, cold, gas, electricity
//! id_order = "high_first"                        # cjt188: or low_first
//! valve = true                                   # cjt188: orders move its valve; usually not
//! prepaid = true                                 # cjt188: orders recharge it; usually not
//! profile = "eastron-sdm"                        # modbus: or heat-example, or the path of a TOML file, whose
//!                                                # registers have names of the wire; total is what is billed
//! ```
//!
//! A meter that takes orders (`relay_password`, `valve`, `prepaid`) is registered as a device behind this gateway: its
//! orders come on a topic of its own.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kernel::{DeviceId, Zone};
use meter_protocols::cjt188::{IdOrder, MeterType};
use meter_protocols::dlt645;
use meter_protocols::mbus;
use meter_protocols::modbus::Profile;
use serde::Deserialize;

use super::asked::{Asked, Authority, MeterConfig};
use super::devices::millis;
use super::{Parity, Port};

/// The most meters of one gateway; its heartbeat names all of them.
pub const METERS_MAX: usize = 512;
/// The longest pause between two readings of a meter, in minutes.
const INTERVAL_MINUTES_MAX: u64 = 24 * 60;
/// The highest address of one Modbus unit.
const UNIT_MAX: u8 = 247;

/// One bus of meters.
#[derive(Debug, Clone)]
pub struct MeterBusConfig {
    /// Its name in the log, and in `meters`.
    pub id: String,
    /// What is spoken there.
    pub protocol: Protocol,
    /// Where it is.
    pub port: Port,
    /// The pause between two readings of a meter.
    pub interval: Duration,
    /// How long a meter may take to answer.
    pub reply_timeout: Duration,
    /// Where the meters' days begin.
    pub zone: Zone,
    /// The meters, at least one.
    pub meters: Vec<MeterConfig>,
}

/// What is spoken on a bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// DL/T 645-2007.
    Dlt645,
    /// CJ/T 188.
    Cjt188,
    /// Modbus with a CRC.
    ModbusRtu,
    /// Modbus over TCP.
    ModbusTcp,
    /// Wired M-Bus.
    Mbus,
}

impl FromStr for Protocol {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "dlt645" => Self::Dlt645,
            "cjt188" => Self::Cjt188,
            "modbus-rtu" => Self::ModbusRtu,
            "modbus-tcp" => Self::ModbusTcp,
            "mbus" => Self::Mbus,
            _ => bail!("{text:?} is neither dlt645, cjt188, modbus-rtu, modbus-tcp nor mbus"),
        })
    }
}

impl Protocol {
    /// Whether it is Modbus, in either envelope.
    #[must_use]
    pub fn is_modbus(self) -> bool {
        matches!(self, Self::ModbusRtu | Self::ModbusTcp)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterBusFile {
    id: String,
    protocol: String,
    port: String,
    baud: Option<u32>,
    parity: Option<Parity>,
    interval_minutes: Option<u64>,
    reply_timeout_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterFile {
    id: DeviceId,
    bus: String,
    address: String,
    tariffs: Option<bool>,
    freeze_days: Option<u8>,
    relay_password: Option<String>,
    relay_operator: Option<u32>,
    sort: Option<Sort>,
    id_order: Option<Order>,
    valve: Option<bool>,
    prepaid: Option<bool>,
    profile: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sort {
    ColdWater,
    HotWater,
    Heat,
    Cold,
    Gas,
    Electricity,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    HighFirst,
    LowFirst,
}

/// The buses with their meters.
pub fn buses(
    zone: Option<String>,
    buses: Vec<MeterBusFile>,
    meters: Vec<MeterFile>,
) -> Result<Vec<MeterBusConfig>> {
    let zone = match zone {
        Some(name) => Zone::parse(&name).with_context(|| format!("meter_zone {name:?}"))?,
        None => Zone::SHANGHAI,
    };
    ensure!(
        meters.len() <= METERS_MAX,
        "there may be at most {METERS_MAX} [[meters]], not {}",
        meters.len()
    );
    let mut checked = BTreeMap::new();
    for bus in buses {
        let (id, bus) = (bus.id.clone(), bus.check(zone)?);
        if checked.insert(id.clone(), bus).is_some() {
            bail!("two of [[meter_buses]] have the same id: {id}");
        }
    }
    for meter in meters {
        let Some(bus) = checked.get_mut(&meter.bus) else {
            bail!(
                "meter {} hangs on bus {:?}, which is not among the meter_buses",
                meter.id,
                meter.bus
            );
        };
        let named = format!("meter {}", meter.id);
        bus.meters.push(meter.check(bus.protocol).context(named)?);
    }
    for (id, bus) in &checked {
        ensure!(!bus.meters.is_empty(), "meter bus {id:?} has no [[meters]]");
    }
    Ok(checked.into_values().collect())
}

impl MeterBusFile {
    fn check(self, zone: Zone) -> Result<MeterBusConfig> {
        let id = self.id;
        let named = |name: &str| format!("{name} of meter bus {id:?}");
        let protocol = self.protocol.parse::<Protocol>();
        let protocol = protocol.with_context(|| named("protocol"))?;
        let modbus = protocol.is_modbus();
        let mut port = self.port.parse::<Port>().with_context(|| named("port"))?;
        match &mut port {
            Port::Serial { baud, parity, .. } => {
                *baud = self.baud.unwrap_or(if modbus { 9_600 } else { 2_400 });
                ensure!(
                    (300..=921_600).contains(baud),
                    "{} must be 300 to 921600, not {baud}",
                    named("baud")
                );
                *parity = self
                    .parity
                    .unwrap_or(if modbus { Parity::None } else { Parity::Even });
            }
            Port::Tcp(_) if self.baud.is_some() || self.parity.is_some() => {
                bail!("meter bus {id:?} is tcp: baud and parity are the serial server's matter")
            }
            Port::Tcp(_) => {}
        }
        ensure!(
            protocol != Protocol::ModbusTcp || matches!(port, Port::Tcp(_)),
            "meter bus {id:?} speaks modbus-tcp, so its port is tcp:host:port"
        );
        let minutes = self.interval_minutes.unwrap_or(60);
        ensure!(
            (1..=INTERVAL_MINUTES_MAX).contains(&minutes),
            "{} must be 1 to {INTERVAL_MINUTES_MAX}, not {minutes}",
            named("interval_minutes")
        );
        Ok(MeterBusConfig {
            reply_timeout: millis(
                &named("reply_timeout_ms"),
                self.reply_timeout_ms,
                1_000,
                20..=10_000,
            )?,
            id,
            protocol,
            port,
            interval: Duration::from_secs(minutes * 60),
            zone,
            meters: Vec::new(),
        })
    }
}

impl MeterFile {
    fn check(self, protocol: Protocol) -> Result<MeterConfig> {
        let dlt645 = protocol == Protocol::Dlt645;
        let cjt188 = protocol == Protocol::Cjt188;
        for (key, given, its) in [
            ("tariffs", self.tariffs.is_some(), dlt645),
            ("freeze_days", self.freeze_days.is_some(), dlt645),
            ("relay_password", self.relay_password.is_some(), dlt645),
            ("relay_operator", self.relay_operator.is_some(), dlt645),
            ("sort", self.sort.is_some(), cjt188),
            ("id_order", self.id_order.is_some(), cjt188),
            ("valve", self.valve.is_some(), cjt188),
            ("prepaid", self.prepaid.is_some(), cjt188),
            ("profile", self.profile.is_some(), protocol.is_modbus()),
        ] {
            ensure!(!given || its, "{key} is no matter of {protocol:?}");
        }
        let id = self.id.clone();
        let asked = match protocol {
            Protocol::Dlt645 => self.dlt645()?,
            Protocol::Cjt188 => self.cjt188()?,
            Protocol::ModbusRtu | Protocol::ModbusTcp => self.modbus()?,
            Protocol::Mbus => self.mbus()?,
        };
        Ok(MeterConfig { id, asked })
    }

    fn dlt645(self) -> Result<Asked> {
        let freeze_days = self.freeze_days.unwrap_or(dlt645::DataId::FREEZE_DAYS_MAX);
        ensure!(
            freeze_days <= dlt645::DataId::FREEZE_DAYS_MAX,
            "freeze_days must be 0 to {}, not {freeze_days}",
            dlt645::DataId::FREEZE_DAYS_MAX
        );
        let address: dlt645::Address = self.address.parse()?;
        let operator = self.relay_operator.unwrap_or(0);
        let relay = self
            .relay_password
            .map(|text| Authority::new(&text, operator));
        let relay = relay.transpose()?;
        ensure!(
            relay.is_none() || address.is_exact(),
            "relay_password needs the whole address of one meter"
        );
        Ok(Asked::Dlt645 {
            address,
            tariffs: self.tariffs.unwrap_or(true),
            freeze_days,
            relay,
        })
    }

    fn cjt188(self) -> Result<Asked> {
        Ok(Asked::Cjt188 {
            address: self.address.parse()?,
            sort: match self.sort.context("sort is missing")? {
                Sort::ColdWater => MeterType::COLD_WATER,
                Sort::HotWater => MeterType::HOT_WATER,
                Sort::Heat => MeterType::HEAT,
                Sort::Cold => MeterType::COLD,
                Sort::Gas => MeterType::GAS,
                Sort::Electricity => MeterType::ELECTRICITY,
            },
            order: match self.id_order {
                None | Some(Order::HighFirst) => IdOrder::HighFirst,
                Some(Order::LowFirst) => IdOrder::LowFirst,
            },
            valve: self.valve.unwrap_or(false),
            prepaid: self.prepaid.unwrap_or(false),
        })
    }

    fn modbus(self) -> Result<Asked> {
        let unit: Option<u8> = self.address.parse().ok();
        let unit = unit.filter(|unit| (1..=UNIT_MAX).contains(unit));
        let name = self.profile.context("profile is missing")?;
        let text = match name.as_str() {
            "eastron-sdm" => Profile::EASTRON_SDM.to_owned(),
            "heat-example" => Profile::HEAT_EXAMPLE.to_owned(),
            path => std::fs::read_to_string(path)
                .with_context(|| format!("profile {path:?} cannot be read"))?,
        };
        let profile = Profile::parse(&text).with_context(|| format!("profile {name:?}"))?;
        for name in profile.names() {
            let known = wire::meter::Register::parse(name).is_some();
            ensure!(
                known,
                "the profile's register {name:?} is none that can be told"
            );
        }
        ensure!(
            profile
                .names()
                .any(|name| name == wire::meter::Register::Total.as_str()),
            "profile {name:?} has no register \"total\", which is billed"
        );
        Ok(Asked::Modbus {
            unit: unit.with_context(|| format!("address must be 1 to {UNIT_MAX}"))?,
            profile,
        })
    }

    fn mbus(self) -> Result<Asked> {
        if self.address.len() == 8 {
            return Ok(Asked::MbusSecondary(self.address.parse()?));
        }
        let address: Option<u8> = self.address.parse().ok();
        let address = address.filter(|address| *address <= mbus::ADDRESS_MAX);
        let sentence = "address must be 0 to 250, or the number of 8 digits";
        Ok(Asked::MbusPrimary(address.context(sentence)?))
    }
}
